// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Rings
import Testing

@testable import IngestCore

struct DepartureCauseTests {
    @Test func departureCause_followsFromTheEndOfTheRegistration() {
        func cause(_ end: GRPCCallEnd?, byUs: Bool = false) -> DepartureCause { .init(end, isEndedByUs: byUs) }
        #expect(cause(nil) == .keepalive)
        #expect(cause(.connectionClosed(.keepalive)) == .keepalive)
        #expect(cause(.connectionClosed(.peer)) == .connectionReset)
        #expect(cause(.connectionClosed(.abuse)) == .closedByProxy)
        #expect(cause(.failed(GRPCStatus(.invalidArgument, ""))) == .closedByProxy)
        #expect(cause(.finished(.ok)) == .streamClosed)
        #expect(cause(.finished(.ok), byUs: true) == .closedByProxy)
        #expect(cause(.resetByPeer(.cancel)) == .streamClosed)
        #expect(cause(.deadlineExceeded) == .streamClosed)
    }
}
