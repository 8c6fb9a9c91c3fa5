// SPDX-License-Identifier: Apache-2.0
import CISAL
import Synchronization

/// Takes compressed bytes.
public protocol GzipOutput {
    /// Appends as many bytes as `fill` says that it has written into room for `roomBytes` at least.
    mutating func appendGzip(roomBytes: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int)
}

extension Array: GzipOutput where Element == UInt8 {
    public mutating func appendGzip(roomBytes: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) {
        self += [UInt8](unsafeUninitializedCapacity: roomBytes) { room, count in
            count = fill(UnsafeMutableRawBufferPointer(room))
        }
    }
}

/// Compresses a stream into gzip (RFC 1952) with ISA-L at level 1: 1.5 GB/s where zlib's level 1 has 0.3, at its ratio.
///
/// The one place that touches ISA-L and its pointers: they point into the state below, which this object owns alone,
/// or into a span or buffer for no longer than the call.
public final class GzipStream {
    /// Bytes that ISA-L is given to write into at a time.
    private static let outputStepBytes = 32 * 1024

    private let state: State
    private var isFinished = false

    public init() {
        state = State.take()
    }

    deinit {
        State.giveBack(state)
    }

    /// Compresses `input` and appends what is ready to `output`; the rest stays inside until more comes.
    public func write<Output: GzipOutput>(_ input: RawSpan, into output: inout Output) {
        precondition(!isFinished, "a gzip stream that is finished takes no more")
        var start = 0
        while start < input.byteCount {
            let end = min(input.byteCount, start + Int(UInt32.max / 2))
            run(input.extracting(start..<end), isLast: false, into: &output)
            start = end
        }
    }

    /// Appends what is still inside, and the trailer.
    public func finish<Output: GzipOutput>(into output: inout Output) {
        guard !isFinished else { return }
        isFinished = true
        run(RawSpan(), isLast: true, into: &output)
    }

    private func run<Output: GzipOutput>(_ input: RawSpan, isLast: Bool, into output: inout Output) {
        let stream = state.stream
        input.withUnsafeBytes { inputBytes in
            // ISA-L declares its input as mutable, and only reads it.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: inputBytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(inputBytes.count)
            stream.pointee.end_of_stream = isLast ? 1 : 0
            var hasRoomLeft = false
            while !hasRoomLeft {
                output.appendGzip(roomBytes: Self.outputStepBytes) { room in
                    let roomBytes = min(room.count, Int(UInt32.max / 2))
                    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(roomBytes)
                    let status = isal_deflate(stream)
                    // It fails only for wrong parameters, and they are constants of this file.
                    precondition(status == COMP_OK, "isal_deflate failed with \(status)")
                    hasRoomLeft = stream.pointee.avail_out > 0
                    return roomBytes - Int(stream.pointee.avail_out)
                }
            }
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
        }
    }
}

extension GzipStream {
    /// ISA-L's stream (80 KiB) and level buffer, kept for the next stream: fresh ones would be faulted in page by page.
    private final class State: @unchecked Sendable {
        // Unchecked: a state is either in the pool or owned by one stream.

        /// Overlapping answers beyond these make their own.
        private static let maximumIdleCount = 4
        private static let level: UInt32 = 1
        /// A cache line: ISA-L wants its hash table aligned.
        private static let alignmentBytes = 64
        /// ISAL_DEF_LVL1_SMALL of igzip_lib.h, which Swift cannot import: tables of 4 and 16 KiB, and 16 Ki tokens of
        /// 4 bytes. Measured on metrics text: the next sizes (148 and 276 KiB) are no faster, the least
        /// (24 KiB) is a quarter slower.
        private static let levelBufferBytes = 4 * 1024 + 2 * 8 * 1024 + 4 * 16 * 1024

        private static let idle = Mutex<[State]>([])

        let stream: UnsafeMutablePointer<isal_zstream>
        private let levelBuffer: UnsafeMutableRawPointer
        private let memory: UnsafeMutableRawPointer

        private init() {
            memory = .allocate(byteCount: MemoryLayout<isal_zstream>.size, alignment: Self.alignmentBytes)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<isal_zstream>.size)
            stream = memory.assumingMemoryBound(to: isal_zstream.self)
            levelBuffer = .allocate(byteCount: Self.levelBufferBytes, alignment: Self.alignmentBytes)
        }

        deinit {
            levelBuffer.deallocate()
            memory.deallocate()
        }

        static func take() -> State {
            let state = idle.withLock { $0.popLast() } ?? State()
            state.begin()
            return state
        }

        static func giveBack(_ state: State) {
            idle.withLock { states in
                if states.count < maximumIdleCount { states.append(state) }
            }
        }

        private func begin() {
            isal_deflate_init(stream)
            stream.pointee.level = Self.level
            stream.pointee.level_buf = levelBuffer.assumingMemoryBound(to: UInt8.self)
            stream.pointee.level_buf_size = UInt32(Self.levelBufferBytes)
            stream.pointee.gzip_flag = UInt16(IGZIP_GZIP)
            stream.pointee.flush = UInt16(NO_FLUSH)
        }
    }
}
