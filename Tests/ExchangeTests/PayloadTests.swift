// SPDX-License-Identifier: Apache-2.0
import Lanes
import TestSupport
import Testing

@testable import Exchange

@Suite struct PayloadTests {
    let identity = IdentityRecord(
        id: AgentID(high: 1, low: 2),
        identity: AgentIdentity(podName: "banyandb-data-0", containerNames: ["data", "lifecycle"]), role: "ROLE_DATA",
        labels: [AgentLabel(key: "type", value: "hot"), AgentLabel(key: "zone", value: "")], peer: "[::1]:4711",
        registeredAtNanoseconds: -5)
    let command = CollectCommand(
        deadlineNanoseconds: 7, window: .init(startNanoseconds: .min, endNanoseconds: .max), role: "", podName: "a")
    let outcome = RoundOutcome(ending: .deadline, answered: [1, 2], unanswered: [3], skipped: [])

    @Test func everyPayloadComesBackAsItWas() {
        #expect(IdentityRecord(payload: identity.payload.span.bytes) == identity)
        #expect(CollectCommand(payload: command.payload.span.bytes) == command)
        #expect(RoundOutcome(payload: outcome.payload.span.bytes) == outcome)
    }

    @Test func noPrefixAndNothingLongerIsTaken() {
        for payload in [identity.payload, command.payload, outcome.payload] {
            for count in 0..<payload.count {
                let part = Array(payload.prefix(count))
                #expect(IdentityRecord(payload: part.span.bytes) == nil)
                #expect(CollectCommand(payload: part.span.bytes) == nil || part.count == 33)
                #expect(RoundOutcome(payload: part.span.bytes) == nil || part.count == 13)
            }
        }
        #expect(RoundOutcome(payload: (outcome.payload + [0]).span.bytes) == nil)
    }

    /// A lane is input: whatever bytes come, they are refused or make a value, and never trap.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func mutatedPayloadsNeverTrap(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            var bytes = [identity.payload, command.payload, outcome.payload].randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = IdentityRecord(payload: bytes.span.bytes)
            _ = CollectCommand(payload: bytes.span.bytes)
            _ = RoundOutcome(payload: bytes.span.bytes)
        }
    }

    @Test func idsFollowIdentityAndSecretAlone() throws {
        let secret = try #require(InstallationSecret(Array(0..<32)))
        let other = try #require(InstallationSecret(Array(1..<33)))
        let id = identity.identity.agentID(secret: secret)
        #expect(
            id
                == AgentIdentity(podName: "banyandb-data-0", containerNames: ["data", "lifecycle"]).agentID(
                    secret: secret))
        #expect(id != identity.identity.agentID(secret: other))
        // The parts are told apart by their lengths, not by where they touch.
        #expect(
            id != AgentIdentity(podName: "banyandb-data-0", containerNames: ["datalifecycle"]).agentID(secret: secret))
        // RFC 9562: version 8, variant 10.
        let text = Array(id.description)
        #expect(text[14] == "8")
        #expect("89ab".contains(text[19]))
        #expect(InstallationSecret([1, 2, 3]) == nil)
    }
}
