// SPDX-License-Identifier: Apache-2.0

import HTTP2
import NIOCore

/// One gRPC stream of an agent: cuts messages, finds out how it ended.
final class SimulatedStream: HTTP2StreamDelegate {
    let method: AgentMethod
    private(set) var stream: HTTP2Stream?
    private unowned let connection: AgentConnection
    private var assembler = ProxyMessageAssembler()
    private var status: StreamStatus?

    init(_ method: AgentMethod, of connection: AgentConnection) {
        self.method = method
        self.connection = connection
    }

    /// - Returns: false if the connection takes no more streams.
    func open(on session: HTTP2Session, headers: HTTP2Headers) -> Bool {
        stream = session.open(headers, isEnd: false, delegate: self)
        return stream != nil
    }

    func stream(_ stream: HTTP2Stream, received headers: HTTP2Headers, isEnd: Bool) {
        if let code = headers["grpc-status"] {
            status = .grpc(code: Int(code) ?? 2, message: headers["grpc-message"] ?? "")
        } else if let code = headers[":status"], code != "200" {
            status = .http(code)
        }
    }

    func stream(_ stream: HTTP2Stream, received data: RawSpan) {
        connection.credit(stream, bytes: data.byteCount)
        assembler.append(data)
        do throws(ProxyMessageAssembler.Fault) {
            while let message = try assembler.next() { connection.received(message, on: self) }
        } catch {
            connection.ended(self, .broken("\(error)"))
        }
    }

    func streamReceivedEnd(_ stream: HTTP2Stream) {
        connection.ended(self, status ?? .broken("no status"))
    }

    func stream(_ stream: HTTP2Stream, closed end: HTTP2StreamEnd) {
        connection.ended(self, status ?? (end.side == .connection ? .connectionLost : .reset(end.error.rawValue)))
    }
}
