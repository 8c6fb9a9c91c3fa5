// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform

/// A worker's line to the supervisor. Any thread may send; one thread receives.
public final class SupervisorLink: Sendable {
    private let descriptor: Int32

    /// Takes over the descriptor (``WorkerDescriptors/link``) for the life of the process.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// To be said once, when the worker serves; until then no other worker relies on it.
    public func sendReady() {
        send(.ready)
    }

    /// To be said once by a worker that was started to stand by, when it could serve.
    public func sendStandby() {
        send(.standby)
    }

    public func sendAdopted(index: Int) {
        send(.adopted(index: index))
    }

    public func sendAccepting(_ isAccepting: Bool) {
        send(.accepting(isAccepting))
    }

    /// To be said once, before it is ready.
    public func sendSandboxed(missing: String) {
        send(.sandboxed(missing: missing))
    }

    /// The next order; waits for it, so give it a thread of its own. `nil`: the supervisor is gone, and the worker
    /// must go too. Messages that are not known are left out. Throws when one came without all of its descriptors, as when
    /// this process may open no more: what it was to do is lost.
    public func receive() throws(SystemError) -> SupervisorOrder? {
        while true {
            do throws(SystemError) {
                switch try MessageSocket.receive(on: descriptor) {
                case .end: return nil
                case .nothing: try MessageSocket.waitReadable(descriptor)
                case .message(let message):
                    if let known = MessageCoding.decodeSupervisorMessage(message.bytes) {
                        return SupervisorOrder(message: known, descriptors: message.descriptors)
                    }
                    for extra in message.descriptors { close(extra) }
                }
            } catch {
                if error.code == EMSGSIZE { throw error }
                return nil
            }
        }
    }

    /// An error means that the supervisor is gone: ``receive()`` says so.
    private func send(_ message: WorkerMessage) {
        try? MessageSocket.send(MessageCoding.encode(message), on: descriptor)
    }
}
