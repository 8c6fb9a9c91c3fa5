// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2

/// How a call ended, as its handler learns it.
public enum GRPCCallEnd: Hashable, Sendable {
    /// The service called ``GRPCCall/finish(_:)``.
    case finished(GRPCStatus)
    /// The server ended it, because the client broke the rules or a limit; the client was told the status.
    case failed(GRPCStatus)
    /// The client's own deadline (`grpc-timeout`) passed.
    case deadlineExceeded
    /// The client reset the stream (cancelled the call).
    case resetByPeer(HTTP2ErrorCode)
    /// The stream broke the rules of HTTP/2.
    case protocolError(HTTP2ErrorCode)
    /// The connection is gone.
    case connectionClosed(GRPCConnectionEnd)
}
