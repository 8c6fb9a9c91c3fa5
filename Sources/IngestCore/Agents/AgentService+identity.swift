// SPDX-License-Identifier: Apache-2.0
import GRPCServer
import Logging
import Platform
import RingMessages

/// Registrations and streams against the certificates of their connections.
extension AgentService {
    /// Whether the connection's certificate may register this pod (`--grpc-agent-identity`); it is refused if not.
    func mayRegister(_ podName: String, _ call: RegistrationCall) -> Bool {
        let connection = call.call.connection
        let names = connection.security?.peerNames
        if PeerIdentity.mayRegister(podName, names: names, by: settings.grpcAgentIdentity) { return true }
        tell(
            "agent refused: its certificate may not register this pod (--grpc-agent-identity)", connection,
            ["pod": "\(podName)", "certificate": "\(PeerIdentity.text(names ?? []))"])
        call.refuse(
            .permissionDenied,
            "the certificate of this connection may not register \(podName.prefix(256).debugDescription)",
            countAs: .refusedIdentity)
        return false
    }

    /// Whether a stream's connection is of the peer that has registered the agent; it is refused if not.
    func isPeer(of agent: Agent, _ call: GRPCCall, _ stream: AgentStream) -> Bool {
        let names = call.connection.security?.peerNames
        if PeerIdentity.mayOpenStreams(names: names, ofAgentOf: agent.peerIdentity, secret: secret) { return true }
        tell(
            "stream refused: its connection has another certificate than the one that registered the agent",
            call.connection, ["pod": "\(agent.identity.podName)", "stream": "\(stream.method)"])
        counters.add(.refusedStreamIdentity)
        call.finish(
            GRPCStatus(
                .permissionDenied,
                "\(stream.method): the agent has registered with another certificate than that of this connection"))
        return false
    }

    /// Also for other workers and a successor, which hold streams against it.
    func setPeerIdentity(_ identity: UInt64, of agent: Agent) {
        agent.peerIdentity = identity
        ring.setPeerIdentity(identity, at: agent.slot)
    }

    /// Once of each source: it is counted each time.
    private func tell(_ message: Logger.Message, _ connection: GRPCConnection, _ metadata: Logger.Metadata) {
        let now = MonotonicClock.nowNanoseconds()
        guard toldSources.isNew(connection.source, "\(message)", nowNanoseconds: now) else { return }
        logger.warning(message, metadata: metadata.merging(["peer": "\(connection.peer)"]) { first, _ in first })
    }
}
