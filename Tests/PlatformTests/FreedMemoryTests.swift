// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Testing

struct FreedMemoryTests {
    /// In a process of its own: what other tests allocate meanwhile would count.
    ///
    /// Blocks that the C library takes from its heap, and one behind them, so that it cannot shrink the heap by itself.
    @Test func freedMemory_isTheSystemsAgain() async {
        await #expect(processExitsWith: .success) {
            let wholeBytes = 128 << 20
            let blockBytes = 32 << 10
            var blocks = (0..<wholeBytes / blockBytes).map { [UInt8](repeating: UInt8($0 & 255), count: blockBytes) }
            let last = [UInt8](repeating: 1, count: blockBytes)
            precondition(blocks.count == wholeBytes / blockBytes)
            blocks = []
            let before = try #require(OwnProcess.current.usage()).residentBytes
            precondition(FreedMemory.byteCount > wholeBytes / 2, "\(FreedMemory.byteCount) bytes are said to be free")
            FreedMemory.giveToSystem()
            let after = try #require(OwnProcess.current.usage()).residentBytes
            precondition(after < before - wholeBytes / 2, "\(before) bytes before, \(after) after")
            precondition(last.count == blockBytes)
        }
    }
}
