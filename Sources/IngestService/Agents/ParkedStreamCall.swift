// SPDX-License-Identifier: Apache-2.0
import Exchange
import GRPCServer

/// A stream that is kept open and never asked: agents open up to seven, and one that is refused makes them reconnect
/// as a whole. What comes without having been asked for is counted and dropped.
final class ParkedStreamCall: GRPCCallHandler {
    private let call: GRPCCall
    private let stream: AgentStream
    private weak var agent: Agent?
    private unowned let service: AgentService

    init(call: GRPCCall, stream: AgentStream, agent: Agent, service: AgentService) {
        self.call = call
        self.stream = stream
        self.agent = agent
        self.service = service
        service.streamOpened(stream, of: agent)
    }

    func received(message: RawSpan) { service.count(.messagesUnasked) }

    func halfClosed() { call.finish(.ok) }

    func closed(_ end: GRPCCallEnd) {
        guard let agent else { return }
        service.streamClosed(stream, of: agent)
    }
}
