// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import GRPCServer
import Platform
import RingMessages
import Rings
import TestHooks

/// A RegisterAgent stream: the first message registers, every later one is a heartbeat.
final class RegistrationCall: GRPCCallHandler {
    /// A registration is some hundred bytes. With 50 of the longest labels that Kubernetes allows (317 bytes of name, 63 of
    /// value) and 100 containers it has 26 KiB; a larger one is invalid. The ring's reserve for identities, 1 MiB,
    /// takes a number of them.
    static let maximumMessageBytes = 64 << 10
    /// Of a pod's name and of a role: a name in Kubernetes has at most 253 characters. Both are on every series of the agent,
    /// and must fit there: without its pod name it could not be told from others.
    static let maximumNameBytes = 1024

    let call: GRPCCall
    private unowned let service: AgentService
    private(set) var agent: Agent?
    /// Of the identity that registers; `nil` before its turn has come.
    private(set) var identityHash: UInt64?
    /// Its registration against others of the same id; `nil` before it has an agent.
    var conflict: RegistrationConflict?
    private var hasBegun = false
    private(set) var isClosed = false
    /// Set when this worker ends the stream of its own accord: then the agent is not to blame for coming back at once.
    var isEndedByUs = false
    /// Set when the agent is sent to another worker: that is no loss.
    private(set) var isMoved = false
    /// `CLOCK_MONOTONIC`; `nil` before it has been answered with success.
    private(set) var answeredAtNanoseconds: UInt64?
    let origin: RegistrationSources.Origin
    /// Whether it counts for its connection and the address of that.
    private var isCounted = false

    init(call: GRPCCall, service: AgentService) {
        self.call = call
        self.service = service
        origin = service.origin(of: call.connection)
        // Its identity is known when it has said so.
        call.keepsConnection = false
        call.maxMessageBytes = Self.maximumMessageBytes
    }

    /// Told by its prefix alone, so that nobody fills memory with a message that would be refused.
    func refusedMessage(byteCount: Int) {
        service.silentCalls.settled(self)
        guard byteCount <= service.settings.grpcMaxMessageBytes else { return }
        refuse(
            .invalidArgument, "a registration of \(byteCount) bytes is larger than \(Self.maximumMessageBytes)",
            countAs: .refusedInvalid)
    }

    func received(message: RawSpan) {
        guard !isClosed, !isEndedByUs else { return }
        service.silentCalls.settled(self)
        // The sender of the first message is known when it has been parsed.
        service.marker.working(on: agent?.identityHash ?? 0) { take(message) }
    }

    private func take(_ message: RawSpan) {
        let request: Banyandb_Fodc_V1_RegisterAgentRequest
        do {
            request = try Banyandb_Fodc_V1_RegisterAgentRequest(serializedBytes: message.copiedBytes)
        } catch {
            refuse(.internalError, "RegisterAgentRequest cannot be parsed: \(error)", countAs: .refusedInvalid)
            return
        }
        for (what, name) in [("node role", request.nodeRole), ("pod name", request.podName)]
        where name.utf8.count > Self.maximumNameBytes {
            return refuse(
                .invalidArgument, "a \(what) of \(name.utf8.count) bytes is larger than \(Self.maximumNameBytes)",
                countAs: .refusedInvalid)
        }
        if !hasBegun {
            hasBegun = true
            service.register(request, message, on: self)
        } else if let agent, answeredAtNanoseconds != nil {
            TestHooks.trapOnPoison(inMessage: message)
            service.heartbeat(request, of: agent)
        }
        // A heartbeat while the registration still waits (for a ping of the older connection, or for room in the ring) needs
        // no answer, and says nothing that the registration does not.
    }

    func halfClosed() {
        // The agent has nothing more to say: it is on its way out.
        isEndedByUs = false
        finish(.ok)
    }

    func closed(_ end: GRPCCallEnd) {
        guard !isClosed else { return }
        isClosed = true
        service.silentCalls.settled(self)
        if isCounted { service.sources.closed(origin) }
        service.registrationEnded(self, end)
    }

    /// Starts the registration. Until it is decided, the connection is not closed when descriptors run out. A refused call
    /// ends and keeps nothing.
    func begin(_ identityHash: UInt64) {
        self.identityHash = identityHash
        isCounted = true
        call.keepsConnection = true
    }

    /// From here on the stream keeps this agent online, although it is answered only when the ring knows of it.
    func bind(_ agent: Agent, _ conflict: RegistrationConflict) {
        self.agent = agent
        self.conflict = conflict
    }

    func accept(heartbeatSeconds: Int64) {
        guard let agent else { return }
        answeredAtNanoseconds = MonotonicClock.nowNanoseconds()
        var response = Banyandb_Fodc_V1_RegisterAgentResponse()
        response.success = true
        response.message = "agent registered"
        response.heartbeatIntervalSeconds = heartbeatSeconds
        response.agentID = agent.id.description
        send(response)
    }

    /// One answer with `success=false`, then the end of the stream.
    func refuse(_ code: GRPCStatusCode, _ message: String, countAs counter: IngestCounter) {
        service.count(counter)
        var response = Banyandb_Fodc_V1_RegisterAgentResponse()
        response.success = false
        response.message = message
        send(response)
        finish(GRPCStatus(code, message))
    }

    func refuseForSilence() {
        refuse(.deadlineExceeded, "no RegisterAgentRequest has arrived", countAs: .refusedSilent)
    }

    /// Its connection has more streams without a message than there is room for.
    func refuseForCrowd() {
        service.count(.refusedSilent)
        call.refuse(Self.crowd, countAs: .tooManySilent)
    }

    static let crowd = GRPCStatus(.resourceExhausted, "too many RegisterAgent streams without a message")

    func end(_ status: GRPCStatus) {
        isEndedByUs = true
        finish(status)
    }

    func move(_ status: GRPCStatus) {
        isMoved = true
        end(status)
    }

    private func finish(_ status: GRPCStatus) {
        guard !call.isFinished else { return }
        call.finish(status)
    }

    private func send(_ response: Banyandb_Fodc_V1_RegisterAgentResponse) {
        guard let bytes: [UInt8] = try? response.serializedBytes() else {
            preconditionFailure("a RegisterAgentResponse always serializes: proto3 has no required fields")
        }
        call.send(bytes)
    }
}
