// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Glibc

/// One registration over a socket, in bytes written by hand: a client that shares no code with the server.
final class RegisteringClient {
    struct Failed: Error { let what: String }

    private let descriptor: Int32
    private(set) var received: [UInt8] = []

    /// - Parameter listener: whose port is called.
    init(listener: Int32) throws {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard getsockname(listener, $0, &length) == 0 else { return false }
                return connect(descriptor, $0, length) == 0
            }
        }
        guard isConnected else { throw Failed(what: "connect") }
        try write(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(type: 4, flags: 0, stream: 0, []))
    }

    deinit { close(descriptor) }

    /// Registers, and waits until the answer holds one of these texts.
    func register(pod: String, labels: [String: String] = [:], until texts: [String]) throws -> String {
        try sendRegistration(pod: pod, labels: labels)
        return try answer(until: texts)
    }

    func sendRegistration(pod: String, labels: [String: String] = [:]) throws {
        let message: [UInt8] = try Banyandb_Fodc_V1_RegisterAgentRequest.with {
            ($0.podName, $0.nodeRole, $0.labels) = (pod, "ROLE_DATA", labels)
        }.serializedBytes()
        try open("/banyandb.fodc.v1.FODCService/RegisterAgent", as: 1)
        try send(message, on: 1)
    }

    /// Opens a call.
    /// - Parameter stream: an odd number that rises with each call.
    func open(_ path: String, as stream: UInt8, metadata: [(String, String)] = []) throws {
        let fields = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        // Literal fields that are not indexed (RFC 7541, section 6.2.2).
        var block: [UInt8] = []
        for (name, value) in fields + metadata { block += [0] + Self.string(name) + Self.string(value) }
        try write(Self.frame(type: 1, flags: 4, stream: stream, block))
    }

    /// Sends a message of some bytes.
    func send(_ message: [UInt8], on stream: UInt8) throws {
        let length = UInt32(message.count).bigEndian
        let framed = [0] + withUnsafeBytes(of: length) { [UInt8]($0) } + message
        try write(Self.frame(type: 0, flags: 0, stream: stream, framed))
    }

    /// Waits until what has come holds one of these texts.
    func answer(until texts: [String]) throws -> String {
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if let found = texts.first(where: { text.contains($0) }) { return found }
            try read()
        }
    }

    private static func string(_ text: String) -> [UInt8] {
        precondition(text.utf8.count < 127, "a length of one byte")
        return [UInt8(text.utf8.count)] + text.utf8
    }

    private static func frame(type: UInt8, flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        precondition(payload.count <= 16_384, "a frame takes no more")
        return [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
    }

    private func write(_ bytes: [UInt8]) throws {
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Failed(what: "send")
        }
    }

    func read() throws {
        // Only so that a broken server does not hang the test.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw Failed(what: "nothing comes any more") }
        received += buffer[..<count]
    }
}
