// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform
import Reports
import Testing

/// Limits of agents' influence on the checker, and of its encoded form.
@Suite struct SchemaLimitsTests {
    private func stale(_ count: Int) -> ReportedSchema {
        let objects = (0..<count).map { ("m/\($0 + 100)", ["n": (UInt64(9), UInt64(9))]) }
        return SchemaRounds.reported(Dictionary(uniqueKeysWithValues: objects))
    }

    private func registry(_ count: Int) -> RegistryOutcome {
        SchemaRounds.registry(Dictionary(uniqueKeysWithValues: (0..<count).map { ("m/\($0 + 100)", 1) }))
    }

    @Test func schemaConsistency_withholdsAndCountsDifferencesOverTheLimit() {
        var limits = SchemaLimits()
        limits.counters = 3
        var consistency = SchemaConsistency(limits: limits)
        _ = consistency.evaluate(["g": stale(2)], registry: registry(2), hasEverybodyAnswered: true)
        #expect(consistency.droppedCounters == 0)
        // Two are known; of the three new ones there is room for the first.
        let second = consistency.evaluate(["g": stale(5)], registry: registry(5), hasEverybodyAnswered: true)["g"]
        #expect(SchemaRounds.issues(second?.verdict) == ["m/100@n: cacheStale", "m/101@n: cacheStale"])
        #expect(consistency.droppedCounters == 2)
        let third = consistency.evaluate(["g": stale(5)], registry: registry(5), hasEverybodyAnswered: true)["g"]
        #expect(third?.verdict.issues.map(\.name) == ["100", "101", "102"])
        #expect(SchemaRounds.read(consistency.encoded, limits: limits) != nil)
    }

    @Test func schemaConsistency_keepsItsEncodedSize() {
        var limits = SchemaLimits()
        limits.encodedBytes = 400
        var consistency = SchemaConsistency(limits: limits)
        let groups: [ExactText: ReportedSchema] = [
            "a": stale(30), ExactText(String(repeating: "x", count: 500)): stale(30), "z": stale(30),
        ]
        let registry = RegistryOutcome.read(
            RegistryContents(groups.keys.map { SchemaRounds.chunk($0.text, ["m/a": 1]) }))
        for _ in 0..<2 {
            _ = consistency.evaluate(groups, registry: registry, hasEverybodyAnswered: true)
            #expect(consistency.encoded.count > limits.encodedBytes / 2 && consistency.droppedCounters > 0)
            #expect(consistency.encoded.count <= limits.encodedBytes)
            #expect(SchemaRounds.read(consistency.encoded, limits: limits) != nil)
        }
        #expect(consistency.gaugeValues.map(\.group) == ["a", "z"])
    }

    @Test func schemaConsistency_boundsGroupsOfTheGauge() {
        var limits = SchemaLimits()
        limits.verdicts = 2
        var consistency = SchemaConsistency(limits: limits)
        let judgements = consistency.evaluate(
            ["c": stale(1), "a": stale(1), "b": stale(1)], registry: .noLiaison, hasEverybodyAnswered: true)
        #expect(judgements.count == 3)
        #expect(consistency.gaugeValues.map(\.group) == ["a", "b"])
    }

    @Test func schemaConsistency_limitsComparisons() {
        var limits = SchemaLimits()
        limits.unreportedPairs = 10
        var consistency = SchemaConsistency(limits: limits)
        let nodes = ["m/100": Dictionary(uniqueKeysWithValues: (0..<4).map { ("n\($0)", (UInt64(1), UInt64(1))) })]
        let compared = consistency.evaluate(
            ["g": SchemaRounds.reported(nodes)], registry: registry(3), hasEverybodyAnswered: true)["g"]
        #expect(compared?.errors == [] && compared?.verdict.objects.count == 3)
        let refused = consistency.evaluate(
            ["g": SchemaRounds.reported(nodes)], registry: registry(4), hasEverybodyAnswered: true)["g"]
        #expect(refused?.verdict == .with { $0.status = .unknown })
        #expect(refused?.errors == ["schema check skipped: 4 objects on 4 nodes are too many to compare"])
    }

    // MARK: Encoded

    private func sample() -> SchemaConsistency {
        var consistency = SchemaConsistency()
        _ = consistency.evaluate(
            ["g": stale(3), "ü": stale(1)], registry: registry(3), hasEverybodyAnswered: true)
        return consistency
    }

    @Test func schemaConsistency_rejectsEveryTruncation() {
        let encoded = sample().encoded
        #expect(SchemaRounds.read(encoded)?.encoded == encoded)
        for count in encoded.indices {
            #expect(SchemaRounds.read(Array(encoded.prefix(count))) == nil)
        }
        #expect(SchemaRounds.read((encoded + [0])) == nil)
    }

    @Test func schemaConsistency_rejectsOrReadsAnyBytes() {
        var seed = UInt64(Int.random(in: 0...Int.max))
        let printed = seed
        let encoded = sample().encoded
        for _ in 0..<5000 {
            var bytes = encoded
            for _ in 0...RandomMessages.below(3, &seed) {
                bytes[RandomMessages.below(bytes.count, &seed)] = UInt8(truncatingIfNeeded: RandomMessages.next(&seed))
            }
            guard let read = SchemaRounds.read(bytes) else { continue }
            #expect(SchemaRounds.read(read.encoded) != nil, "seed \(printed)")
        }
    }

    @Test func schemaConsistency_rejectsCountsAboveTheLimits() {
        let encoded = sample().encoded
        for change: (inout SchemaLimits) -> Void in [
            { $0.counters = 2 }, { $0.verdicts = 1 }, { $0.encodedBytes = encoded.count - 1 },
        ] {
            var limits = SchemaLimits()
            change(&limits)
            #expect(SchemaRounds.read(encoded, limits: limits) == nil)
        }
    }

    @Test func schemaConsistency_reservesNoMemoryForClaimedCounts() {
        let absurd: [UInt8] = [2, 255, 255, 255, 255]
        #expect(SchemaRounds.read(absurd) == nil)
        let counters: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 2, 0]
        #expect(SchemaRounds.read(counters) == nil)
        let nothing: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(SchemaRounds.read(nothing) != nil)
        #expect(SchemaRounds.read([UInt8]()) == nil)
    }
}
