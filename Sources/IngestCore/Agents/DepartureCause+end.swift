// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Rings

extension DepartureCause {
    /// Why an agent is lost whose registration ended like that.
    ///
    /// - Parameters:
    ///   - end: `nil` when its connection was found dead.
    ///   - isEndedByUs: this worker ended the stream of its own accord.
    init(_ end: GRPCCallEnd?, isEndedByUs: Bool) {
        self =
            switch end {
            case nil, .connectionClosed(.keepalive): .keepalive
            case .connectionClosed(.peer): .connectionReset
            case .connectionClosed, .failed, .protocolError: .closedByProxy
            case .finished: isEndedByUs ? .closedByProxy : .streamClosed
            case .resetByPeer, .deadlineExceeded: .streamClosed
            }
    }
}
