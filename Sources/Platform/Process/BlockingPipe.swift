// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Bytes on their way from a thread that makes them to one that sends them. The maker waits while more of them lie here than
/// the pipe's capacity; the sender never waits.
public final class BlockingPipe: @unchecked Sendable {
    public enum End: Sendable {
        /// The bytes before it are all.
        case complete
        /// The rest cannot be made.
        case failed
    }

    public enum Progress: Equatable, Sendable {
        /// There may be more to read now.
        case more
        /// Nothing is there at present.
        case waiting
        /// All has been read.
        case complete
        /// The maker has given up.
        case failed
    }

    private struct State {
        var pieces: [[UInt8]] = []
        /// Bytes of the first piece that have been read.
        var offset = 0
        var byteCount = 0
        var end: End?
        var isAbandoned = false
    }

    private let capacityBytes: Int
    private let onReadable: @Sendable () -> Void
    private let state = Mutex(State())
    /// Raised when there is room again; made in `init`, freed in `deinit`.
    private let room: UnsafeMutablePointer<sem_t>

    /// - Parameter onReadable: called on the maker's thread when something can be read after nothing could.
    public init(capacityBytes: Int, onReadable: @escaping @Sendable () -> Void) {
        precondition(capacityBytes > 0, "a pipe without room passes nothing on")
        self.capacityBytes = capacityBytes
        self.onReadable = onReadable
        room = .allocate(capacity: 1)
        sem_init(room, 0, 0)
    }

    deinit {
        sem_destroy(room)
        room.deallocate()
    }

    // MARK: The maker's side

    /// Hands a piece over, then waits until the pipe is not overfull any more.
    /// - Returns: false when nobody reads on.
    public func write(_ piece: [UInt8]) -> Bool {
        guard !piece.isEmpty else { return !state.withLock { $0.isAbandoned } }
        let wasEmpty = state.withLock { state in
            precondition(state.end == nil, "nothing follows the end")
            guard !state.isAbandoned else { return false }
            state.pieces.append(piece)
            state.byteCount += piece.count
            return state.byteCount == piece.count
        }
        if wasEmpty { onReadable() }
        while state.withLock({ $0.byteCount > capacityBytes && !$0.isAbandoned }) {
            while sem_wait(room) != 0 {}
        }
        return !state.withLock { $0.isAbandoned }
    }

    /// To be called once, after the last piece.
    public func end(_ end: End) {
        state.withLock { $0.end = end }
        onReadable()
    }

    // MARK: The sender's side

    /// Lends as many bytes as there are, at most `byteCount`, in one piece or several.
    public func read(atMost byteCount: Int, _ body: (RawSpan) -> Void) -> Progress {
        let (progress, hasRoom) = state.withLock { state in
            var left = byteCount
            while left > 0, let piece = state.pieces.first {
                let range = state.offset..<min(piece.count, state.offset + left)
                body(piece.span.bytes.extracting(range))
                left -= range.count
                state.byteCount -= range.count
                state.offset = range.upperBound
                if state.offset == piece.count {
                    state.pieces.removeFirst()
                    state.offset = 0
                }
            }
            return (Self.progress(state, hasRead: left < byteCount), state.byteCount <= capacityBytes)
        }
        if hasRoom { sem_post(room) }
        return progress
    }

    private static func progress(_ state: State, hasRead: Bool) -> Progress {
        guard state.pieces.isEmpty else { return .more }
        switch state.end {
        case .complete: return .complete
        case .failed: return .failed
        case nil: return hasRead ? .more : .waiting
        }
    }

    /// Nobody reads on: what is here is dropped, and the maker does not wait any more.
    public func abandon() {
        state.withLock { state in
            state.isAbandoned = true
            state.pieces = []
            (state.offset, state.byteCount) = (0, 0)
        }
        sem_post(room)
    }
}
