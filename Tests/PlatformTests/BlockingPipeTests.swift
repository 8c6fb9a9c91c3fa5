// SPDX-License-Identifier: Apache-2.0
import Platform
import Synchronization
import Testing

@Suite struct BlockingPipeTests {
    private static func readAll(_ pipe: BlockingPipe, atMost: Int, into bytes: inout [UInt8]) -> BlockingPipe.Progress {
        while true {
            var got: [UInt8] = []
            let progress = pipe.read(atMost: atMost) { got += $0.copiedBytes }
            #expect(got.count <= atMost)
            bytes += got
            if progress != .more { return progress }
        }
    }

    @Test func pipe_passesBytesOnInOrder() {
        let pipe = BlockingPipe(capacityBytes: 100) {}
        let sent = (0..<90).map { UInt8($0) }
        for start in stride(from: 0, to: 90, by: 30) { #expect(pipe.write([UInt8](sent[start..<start + 30]))) }
        var bytes: [UInt8] = []
        #expect(Self.readAll(pipe, atMost: 7, into: &bytes) == .waiting)
        #expect(bytes == sent)
        pipe.end(.complete)
        #expect(Self.readAll(pipe, atMost: 7, into: &bytes) == .complete && bytes == sent)
    }

    @Test func pipe_tellsTheReaderWhenThereIsSomethingAgain() {
        let told = Mutex(0)
        let pipe = BlockingPipe(capacityBytes: 100) { told.withLock { $0 += 1 } }
        _ = pipe.write([1])
        _ = pipe.write([2])
        #expect(told.withLock { $0 } == 1)
        var bytes: [UInt8] = []
        _ = Self.readAll(pipe, atMost: 10, into: &bytes)
        _ = pipe.write([3])
        #expect(told.withLock { $0 } == 2)
        pipe.end(.failed)
        #expect(told.withLock { $0 } == 3)
        #expect(Self.readAll(pipe, atMost: 10, into: &bytes) == .failed && bytes == [1, 2, 3])
    }

    @Test func pipe_keepsAMakerThatIsFasterWaiting() throws {
        let readable = AwaitedValue<Bool>()
        let pipe = BlockingPipe(capacityBytes: 10) { readable.set(true) }
        let written = Mutex(0)
        let ended = AwaitedValue<Bool>()
        let thread = try JobThread(name: "maker")
        thread.run {
            for number in 0..<100 {
                _ = pipe.write([UInt8](repeating: UInt8(number), count: 8))
                written.withLock { $0 += 1 }
            }
            pipe.end(.complete)
            ended.set(true)
        }
        _ = readable.wait()
        var bytes: [UInt8] = []
        while true {
            // Two pieces are more than the capacity: the second one's maker waits.
            #expect(written.withLock { $0 } * 8 <= bytes.count + 16)
            let progress = pipe.read(atMost: 8) { bytes += $0.copiedBytes }
            if progress == .complete { break }
        }
        #expect(ended.wait())
        #expect(bytes == (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 8) })
        thread.stop()
    }

    @Test func pipe_letsTheMakerGoWhenNobodyReadsOn() throws {
        let pipe = BlockingPipe(capacityBytes: 10) {}
        let outcome = AwaitedValue<Bool>()
        let thread = try JobThread(name: "maker")
        thread.run { outcome.set(pipe.write([UInt8](repeating: 1, count: 100))) }
        pipe.abandon()
        #expect(!outcome.wait())
        #expect(!pipe.write([1]))
        var bytes: [UInt8] = []
        #expect(pipe.read(atMost: 10) { bytes += $0.copiedBytes } == .waiting && bytes.isEmpty)
        thread.stop()
    }
}
