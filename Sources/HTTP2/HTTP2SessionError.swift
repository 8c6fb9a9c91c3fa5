// SPDX-License-Identifier: Apache-2.0
/// The connection cannot go on: nothing may be fed to the session any more, and the socket is to be closed.
///
/// Breaches of protocol that HTTP/2 answers with GOAWAY are no errors here: the session says good-bye itself, and is over
/// when ``HTTP2Session/isFinished`` is true and what it has to send is sent.
public enum HTTP2SessionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first bytes are not the client preface of HTTP/2 (RFC 9113, section 3.4).
    case badPreface
    /// The peer makes the session answer (PING, SETTINGS) faster than it reads the answers, or it cuts one header block
    /// into more CONTINUATION frames than allowed.
    case flooded
    /// nghttp2 could not get memory.
    case outOfMemory
    /// Any other final error of nghttp2, by its number.
    case failed(library: Int32)

    public var description: String {
        switch self {
        case .badPreface: "the peer does not speak HTTP/2 with prior knowledge"
        case .flooded: "the peer floods the connection with control frames"
        case .outOfMemory: "no memory for the HTTP/2 session"
        case .failed(let number): "nghttp2 error \(number)"
        }
    }
}
