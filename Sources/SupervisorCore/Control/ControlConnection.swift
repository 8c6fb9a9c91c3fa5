// SPDX-License-Identifier: Apache-2.0
import Platform

/// One connection of the control socket: the bytes of its request as they come, those of its answer until they are taken.
final class ControlConnection {
    /// Limit of an answer that is waiting for its reader; no client needs a longer one.
    static let limitOutputBytes = 1 << 20

    enum Step: Equatable {
        case wait
        case request([String])
        /// It is to be answered with this, and ended.
        case refuse(String)
        /// The other side is gone.
        case end
    }

    let descriptor: Int32
    private(set) var isOpen = true
    /// The request is complete; from then on only its end is waited for.
    private(set) var hasRequest: Bool
    /// Nothing more will be said.
    private(set) var isFinished = false
    /// When what is waited for must have come: the request, or the reader of a finished answer.
    var deadlineNanoseconds: UInt64
    private var input: [UInt8] = []
    private var output: ArraySlice<UInt8> = []

    /// - Parameter hasRequest: its request came to the program that was in this process before an exec.
    init(descriptor: Int32, hasRequest: Bool = false, deadlineNanoseconds: UInt64) {
        self.descriptor = descriptor
        self.hasRequest = hasRequest
        self.deadlineNanoseconds = deadlineNanoseconds
    }

    deinit { close() }

    func close() {
        guard isOpen else { return }
        isOpen = false
        MemoryFile.close(descriptor)
    }

    /// Whether all that was said has been taken by the kernel.
    var isFlushed: Bool { output.isEmpty }

    /// Takes what has come.
    func read() -> Step {
        // One frame and one byte, which shows that there is more than it should be.
        let limit = ControlFrames.lengthBytes + ControlFrames.limitRequestBytes + 1
        while true {
            let received: LocalSocket.Received
            do throws(SystemError) {
                received = try LocalSocket.receive(on: descriptor, limitBytes: hasRequest ? 1 : 16 << 10)
            } catch {
                return .end
            }
            switch received {
            case .end: return .end
            case .nothing: return .wait
            case .bytes(let bytes):
                guard !hasRequest else { return isFinished ? .end : .refuse("one request a connection") }
                input += bytes
                do throws(ControlRequestError) {
                    if let fields = try ControlFrames.decodeRequest(input) {
                        hasRequest = true
                        input = []
                        return .request(fields)
                    }
                } catch {
                    hasRequest = true
                    input = []
                    return .refuse("\(error)")
                }
                guard input.count < limit else { return .end }
            }
        }
    }

    /// Says something, as far as it is taken now. A reader that does not read loses its connection.
    func send(_ answer: ControlFrames.Answer) {
        guard isOpen, !isFinished else { return }
        if case .end = answer { isFinished = true }
        output += ControlFrames.encode(answer)
        flush()
        if output.count > Self.limitOutputBytes { close() }
    }

    func flush() {
        guard isOpen else { return }
        do throws(SystemError) {
            while !output.isEmpty {
                let count = try LocalSocket.send(output, on: descriptor)
                guard count > 0 else { return }
                output = output.dropFirst(count)
            }
            output = []
        } catch {
            close()
        }
    }
}
