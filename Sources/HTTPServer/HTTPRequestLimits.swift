// SPDX-License-Identifier: Apache-2.0

/// Limits of a request before it is refused. Every limit is checked while bytes arrive, so that a client can never
/// make the server keep more than these bytes of it.
public struct HTTPRequestLimits: Sendable {
    /// Longest request line without its CRLF (longer: 414). RFC 9112 section 3 recommends to support 8000 octets.
    public var requestLineBytes = 8 * 1024

    /// Longest request head: request line, header fields and all line ends (longer: 431).
    public var headBytes = 16 * 1024

    /// Most header fields of a request (more: 431).
    public var headerFieldCount = 100

    /// Largest body that is read and thrown away. No resource here takes one, but a GET may carry one and the
    /// connection is worth keeping; a larger one is answered with 413 and ends the connection.
    public var bodyBytes = 64 * 1024

    /// Most parameters of a query (more: 400). Each is looked up by walking over all.
    public var queryParameterCount = 64

    public init() {}
}
