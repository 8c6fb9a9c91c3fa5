// SPDX-License-Identifier: Apache-2.0
import GRPCCauses
import HTTP2

extension GRPCConnectionEnd {
    /// The code and text of the last GOAWAY; nil when nghttp2 has sent its own, or no peer is there to read it.
    var farewell: HTTP2ErrorCode? {
        switch self {
        case .abuse, .slowReader, .controlFrames, .badFrames, .resets, .crowded: .enhanceYourCalm
        case .badPreface: .protocolError
        case .internalError: .internalError
        case .prefaceTimeout, .keepalive, .service, .shutdown, .idle: .noError
        case .peer, .protocolError, .drained: nil
        }
    }
}
