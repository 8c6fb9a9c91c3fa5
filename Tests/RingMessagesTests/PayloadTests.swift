// SPDX-License-Identifier: Apache-2.0
import BinaryCoding
import Rings
import TestSupport
import Testing

@testable import RingMessages

@Suite struct PayloadTests {
    let identity = IdentityRecord(
        id: AgentID(high: 1, low: 2),
        identity: AgentIdentity(podName: "banyandb-data-0", containerNames: ["data", "lifecycle"]), role: "ROLE_DATA",
        labels: [AgentLabel(key: "type", value: "hot"), AgentLabel(key: "zone", value: "")], peer: "[::1]:4711",
        registeredAtNanoseconds: -5)
    let command = CollectCommand(
        deadlineNanoseconds: 7, window: .init(startNanoseconds: .min, endNanoseconds: .max), role: "", podName: "a")
    let outcome = CollectionOutcome(ending: .deadline, answered: [1, 2], unanswered: [3], skipped: [])

    @Test func ringMessage_decodesToTheEncodedValue() {
        #expect(IdentityRecord(payload: identity.payload.span.bytes) == identity)
        #expect(CollectCommand(payload: command.payload.span.bytes) == command)
        #expect(CollectionOutcome(payload: outcome.payload.span.bytes) == outcome)
    }

    @Test func ringMessage_rejectsTruncationAndTrailingBytes() {
        func takes(_ payload: [UInt8], _ isTaken: (RawSpan) -> Bool) -> Bool { isTaken(payload.span.bytes) }
        let payloads: [([UInt8], (RawSpan) -> Bool)] = [
            (identity.payload, { IdentityRecord(payload: $0) != nil }),
            (command.payload, { CollectCommand(payload: $0) != nil }),
            (outcome.payload, { CollectionOutcome(payload: $0) != nil }),
        ]
        for (payload, isTaken) in payloads {
            #expect(takes(payload, isTaken))
            for count in payload.indices { #expect(!takes(Array(payload.prefix(count)), isTaken)) }
            #expect(!takes(payload + [0], isTaken))
        }
    }

    /// Rings outlive the programs that write them: a record of another version is not misread.
    @Test func ringMessage_rejectsOtherVersions() {
        var payload = identity.payload
        payload[0] += 1
        #expect(throws: BinaryError.wrongVersion(found: 2, expected: 1)) {
            try IdentityRecord(encoded: payload.span.bytes)
        }
    }

    /// A ring is input: whatever bytes come, they are refused or make a value, and never trap.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func ringMessage_survivesMutatedPayloads(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            var bytes = [identity.payload, command.payload, outcome.payload].randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = IdentityRecord(payload: bytes.span.bytes)
            _ = CollectCommand(payload: bytes.span.bytes)
            _ = CollectionOutcome(payload: bytes.span.bytes)
        }
    }

    @Test func agentID_dependsOnIdentityAndSecretAlone() throws {
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
