// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Rings

extension NodeLossCause {
    /// As the agent table says; `nil` when it does not.
    init?(_ departure: DepartureCause) {
        switch departure {
        case .unknown: return nil
        case .streamClosed: self = .streamClosed
        case .heartbeatMissed: self = .heartbeatMissed
        case .keepalive: self = .keepalive
        case .connectionReset: self = .connectionReset
        case .evicted: self = .evicted
        case .workerCrashed: self = .workerCrashed
        case .moved: self = .moved
        case .closedByProxy: self = .closedByProxy
        }
    }
}
