// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import GRPCServer
import Platform
import RingMessages
import Rings
import TestHooks

/// A registration whose turn has not come.
struct PendingRegistration {
    let request: Banyandb_Fodc_V1_RegisterAgentRequest
    let identity: AgentIdentity
    let hash: UInt64
    let call: RegistrationCall
    /// `CLOCK_MONOTONIC`.
    let arrivedAtNanoseconds: UInt64
}

/// The way of a registration from its message to its turn: what it says is checked at once, then it waits for its turn.
extension AgentService {
    func register(_ request: Banyandb_Fodc_V1_RegisterAgentRequest, _ message: RawSpan, on call: RegistrationCall) {
        guard !request.nodeRole.isEmpty else {
            return call.refuse(.invalidArgument, "node role cannot be empty", countAs: .refusedInvalid)
        }
        guard !request.podName.isEmpty else {
            return call.refuse(.invalidArgument, "pod name cannot be empty", countAs: .refusedInvalid)
        }
        guard mayRegister(request.podName, call) else { return }
        let identity = AgentIdentity(podName: request.podName, containerNames: request.containerNames)
        let hash = identity.hash(secret: secret)
        marker.working(on: hash) { TestHooks.trapOnPoison(inMessage: message) }
        registrations.append(
            PendingRegistration(
                request: request, identity: identity, hash: hash, call: call,
                arrivedAtNanoseconds: MonotonicClock.nowNanoseconds()),
            from: call.call.connection.id)
        workOnRegistrations()
    }

    /// As many as this turn of the loop has room for: mostly the one that has just come.
    private func workOnRegistrations() {
        while let pending = registrations.next() {
            guard !pending.call.isClosed, !pending.call.call.isFinished else { continue }
            let begun = MonotonicClock.nowNanoseconds()
            marker.working(on: pending.hash) { begin(pending) }
            registrations.spent(nanoseconds: MonotonicClock.nowNanoseconds() - begun)
        }
        guard !isRegistrationTurnDue else { return }
        isRegistrationTurnDue = true
        onRegistrationTurn()
    }

    /// The sockets have been looked at since ``onRegistrationTurn`` was called.
    func beginRegistrationTurn() {
        isRegistrationTurnDue = false
        evictIfDue()
        registrations.beginTurn()
        if !registrations.isEmpty { workOnRegistrations() }
    }

    private func begin(_ pending: PendingRegistration) {
        let (identity, hash, call) = (pending.identity, pending.hash, pending.call)
        if isQuarantined(hash) {
            logger.warning("agent refused: it is quarantined", metadata: ["pod": "\(identity.podName)"])
            return call.refuse(.resourceExhausted, Self.quarantinedText(identity), countAs: .refusedQuarantined)
        }
        others.look(notOlderThan: OtherWorkers.registrationLookNanoseconds)
        guard isWithinSourceLimits(identity, call), !isLooping(identity, hash, call) else { return }
        sources.opened(call.origin)
        call.begin(hash)
        decide(pending)
    }

    /// Where a registration comes from.
    func origin(of connection: GRPCConnection) -> RegistrationSources.Origin {
        let address = connection.peer.prefix(upTo: connection.peer.lastIndex(of: ":") ?? connection.peer.endIndex)
        let isLoopback = ["127.", "[::1]", "[::ffff:127."].contains { address.hasPrefix($0) }
        return RegistrationSources.Origin(
            connection: connection.id, source: secret.sourceHash(of: String(address)), isLoopback: isLoopback)
    }
}
