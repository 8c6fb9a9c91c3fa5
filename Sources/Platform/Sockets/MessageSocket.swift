// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// One end of a SOCK_SEQPACKET pair: whole messages, in order, with descriptors if need be (SCM_RIGHTS).
public enum MessageSocket {
    /// Bytes of a message at most; longer ones are neither sent nor taken.
    public static let limitBytes = 4096
    public static let limitDescriptors = Int(FODC_PROCESS_MOST_DESCRIPTORS)

    /// A message as it came. The receiver owns the descriptors.
    public struct Message {
        public let bytes: [UInt8]
        public let descriptors: [Int32]
    }

    public enum Received {
        case message(Message)
        /// Nothing there now (only on a nonblocking socket).
        case nothing
        /// The other side is gone.
        case end
    }

    /// Two connected ends, close-on-exec and blocking; ``setNonblocking(_:)`` changes one end only.
    public static func pair() throws(SystemError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SystemError(call: "socketpair", code: errno) }
        return (ends[0], ends[1])
    }

    public static func setNonblocking(_ socket: Int32) throws(SystemError) {
        let flags = fcntl(socket, F_GETFL)
        guard flags >= 0, fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw SystemError(call: "fcntl(O_NONBLOCK)", code: errno)
        }
    }

    /// Sends one message. The descriptors stay the caller's.
    public static func send(_ bytes: [UInt8], descriptors: [Int32] = [], on socket: Int32) throws(SystemError) {
        guard bytes.count <= limitBytes, !bytes.isEmpty else { throw SystemError(call: "sendmsg", code: EMSGSIZE) }
        guard
            fodc_process_send_message(socket, bytes, bytes.count, descriptors, Int32(clamping: descriptors.count)) >= 0
        else { throw SystemError(call: "sendmsg", code: errno) }
    }

    /// The next message. A cut one is an error (EMSGSIZE), and the socket is good for the next.
    public static func receive(on socket: Int32) throws(SystemError) -> Received {
        // Both buffers are as large as the shim may fill and live through the call.
        var bytes = [UInt8](repeating: 0, count: limitBytes)
        var descriptors = [Int32](repeating: -1, count: limitDescriptors)
        var descriptorCount: Int32 = 0
        let count = fodc_process_receive_message(socket, &bytes, limitBytes, &descriptors, &descriptorCount)
        if count < 0 {
            if errno == EAGAIN { return .nothing }
            if errno == ECONNRESET { return .end }  // it went with messages of ours unread
            throw SystemError(call: "recvmsg", code: errno)
        }
        guard count > 0 else { return .end }
        bytes.removeLast(limitBytes - count)
        return .message(Message(bytes: bytes, descriptors: Array(descriptors.prefix(Int(descriptorCount)))))
    }

    /// Waits until there is a message or the end.
    public static func waitReadable(_ socket: Int32) throws(SystemError) {
        var request = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, -1) < 0 {
            guard errno == EINTR else { throw SystemError(call: "poll", code: errno) }
        }
    }
}
