// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// Whether the nodes have the schema that the registry has, group by group, collection after collection.
///
/// A disagreement on one object at one node is reported only when the collection before has seen it too, whatever its
/// type was then: schema takes a moment to spread. The counters for that, and the last verdicts, outlive the
/// process as `encoded`.
public struct SchemaConsistency: Equatable, Sendable {
    public struct Judgement: Sendable {
        public var verdict: Banyandb_Fodc_V1_SchemaConsistency
        /// For the group's list of errors.
        public var errors: [String] = []
    }

    /// One object at one node.
    struct Place: Hashable, Sendable {
        var object: SchemaObjectName
        var node: ExactText
    }

    let limits: SchemaLimits
    /// By group, the places that disagreed when the group was last compared.
    var counted: [ExactText: Set<Place>] = [:]
    var verdicts: [ExactText: Banyandb_Fodc_V1_ConsistencyStatus] = [:]
    /// Disagreements that were not remembered for lack of room, since this value was made. They are not reported.
    public private(set) var droppedCounters: UInt64 = 0

    public init(limits: SchemaLimits = SchemaLimits()) {
        self.limits = limits
    }

    /// For the gauge, by group: 1 consistent, 2 inconsistent, 3 unknown.
    public var gaugeValues: [(group: String, value: Int)] {
        verdicts.sorted { $0.key < $1.key }.map { (group: $0.key.text, value: $0.value.rawValue) }
    }

    /// Judges one collection.
    /// - Parameters:
    ///   - reported: of every group for which any agent sent fingerprints, all that were sent.
    ///   - hasEverybodyAnswered: false when an agent that was asked did not.
    /// - Returns: one judgement for each of `reported`.
    public mutating func evaluate(
        _ reported: [ExactText: ReportedSchema], registry: RegistryOutcome, hasEverybodyAnswered: Bool
    ) -> [ExactText: Judgement] {
        var judgements: [ExactText: Judgement] = [:]
        var memory = CounterMemory(limits: limits)
        var fresh: [(group: ExactText, places: [Place])] = []
        var unreportedPairs = limits.unreportedPairs
        let groups = reported.sorted { $0.key < $1.key }
        let judgedGroups = groups.filter { memory.keepVerdict(of: $0.key) }.map(\.key)
        for (name, schema) in groups {
            let before = counted[name] ?? []
            do throws(Incomparable) {
                let group = try Self.registryGroup(name.text, registry)
                let comparison = try SchemaComparison(
                    schema, registry: group.objects, counted: before, unreportedPairs: &unreportedPairs)
                judgements[name] = Judgement(
                    verdict: comparison.verdict(hasEverybodyAnswered: hasEverybodyAnswered))
                memory.keep(comparison.kept, group: name)
                fresh.append((name, comparison.fresh))
            } catch {
                // Nothing could be compared, so nothing is known to be gone either.
                memory.keep(Array(before), group: name)
                judgements[name] = Judgement(verdict: .with { $0.status = .unknown }, errors: error.reasons)
            }
        }
        // Known disagreements go first, so that a flood of new ones displaces nothing.
        for (group, places) in fresh { memory.keep(places, group: group) }
        counted = memory.counted
        droppedCounters += memory.dropped
        verdicts = [:]
        for name in judgedGroups { verdicts[name] = judgements[name]?.verdict.status }
        return judgements
    }

    /// Why a group cannot be compared.
    struct Incomparable: Error {
        var reasons: [String]
    }

    private static func registryGroup(
        _ name: String, _ registry: RegistryOutcome
    ) throws(Incomparable) -> RegistryContents.Group {
        if let reason = registry.fatalError { throw Incomparable(reasons: [reason]) }
        guard let group = registry.group(name) else { throw Incomparable(reasons: []) }
        guard group.errors.isEmpty else {
            throw Incomparable(reasons: group.errors.map { "registry read failed: \($0)" })
        }
        return group
    }
}
