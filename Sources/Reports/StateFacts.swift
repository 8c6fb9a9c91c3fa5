// SPDX-License-Identifier: Apache-2.0
import Calendar
import FODCProtocol
import Platform

/// An agent's answer taken apart into facts, so that two answers can be compared one by one.
public struct StateFacts: Sendable {
    /// The kind of a fact; the raw value is what `/incidents/{id}/changes` shows.
    public enum Section: String, CaseIterable, Comparable, Sendable {
        case version
        case startup = "startup_params"
        case runtime = "runtime_config"
        case node
        case call
        /// Shards, replicas and times of a group.
        case group
        /// A node's fingerprints of a schema object.
        case object
        /// The proxy's verdict on a group.
        case verdict

        public var kind: StaticString {
            switch self {
            case .version, .startup, .runtime: "configuration"
            case .node, .call: "topology"
            case .group, .object, .verdict: "schema"
            }
        }

        public static func < (one: Section, other: Section) -> Bool { one.rawValue < other.rawValue }
    }

    struct Name: Hashable, Comparable, Sendable {
        var section: Section
        var key: ExactText

        static func < (one: Name, other: Name) -> Bool { (one.section, one.key) < (other.section, other.key) }
    }

    /// Facts of one answer that are compared; an answer of an agent may have any number.
    static let limitFacts = 200_000

    private(set) var values: [Name: ExactText] = [:]

    public init(_ configuration: Fodc_Proxy_V1_NodeConfiguration) {
        if !configuration.version.isEmpty { add(.version, "", configuration.version) }
        for (key, value) in configuration.startupParameters { add(.startup, key, value) }
        for (key, value) in configuration.runtimeConfiguration { add(.runtime, key, value) }
    }

    public init(_ topology: Banyandb_Fodc_V1_Topology) {
        for node in topology.nodes where !node.metadata.name.isEmpty { add(.node, node.metadata.name, Self.text(node)) }
        for call in topology.calls { add(.call, "\(call.source) → \(call.target)", "") }
    }

    /// - Parameter group: `nil`: of all groups.
    public init(_ lifecycle: Banyandb_Fodc_V1_LifecycleData, group: String? = nil) {
        for sent in lifecycle.groups where group.map({ ExactText.areEqual($0, sent.name) }) ?? true {
            add(.group, sent.name, Self.text(sent.resourceOpts))
            for object in sent.schemaConsistency.objects {
                for one in object.nodeFingerprints {
                    add(
                        .object, "\(sent.name) \(object.kind) \(object.name) at \(one.node)",
                        "\(hexadecimal: one.cacheFingerprint) in the cache, \(hexadecimal: one.runtimeFingerprint) in use"
                    )
                }
            }
        }
    }

    /// - Parameter verdicts: groups, and the proxy's verdicts on them.
    public init(verdicts: [(name: String, value: String)]) {
        for verdict in verdicts { add(.verdict, verdict.name, verdict.value) }
    }

    private mutating func add(_ section: Section, _ key: String, _ value: String) {
        guard values.count < Self.limitFacts else { return }
        values[Name(section: section, key: ExactText(key))] = ExactText(value)
    }

    /// The differences from an earlier answer, in the order of section and key.
    public func changes(since before: StateFacts) -> [StateChange] {
        var changes: [StateChange] = []
        for (name, value) in values where before.values[name] != value {
            changes.append(StateChange(name: name, before: before.values[name], after: value))
        }
        for (name, value) in before.values where values[name] == nil {
            changes.append(StateChange(name: name, before: value, after: nil))
        }
        return changes.sorted { $0.name < $1.name }
    }

    // MARK: Texts

    /// `ROLE_DATA at 10.0.0.1:17912, type=hot, since 2026-11-30T00:00:00Z`.
    private static func text(_ node: Banyandb_Database_V1_Node) -> String {
        let roles = node.roles.map { role in role.protoName.map { "\($0)" } ?? "UNKNOWN_ROLE_\(role.rawValue)" }
        var parts = [roles.joined(separator: " ") + (node.grpcAddress.isEmpty ? "" : " at \(node.grpcAddress)")]
        for (key, value) in node.labels.sorted(by: { ExactText($0.key) < ExactText($1.key) }) {
            parts.append("\(key)=\(value)")
        }
        if node.hasCreatedAt { parts.append("since \(RFC3339.text(EpochTime(node.createdAt), fraction: .none))") }
        return parts.joined(separator: ", ")
    }

    /// `2 shards, 1 replicas, segments of 1 d, kept for 7 d`.
    private static func text(_ options: Banyandb_Common_V1_ResourceOpts) -> String {
        var parts = ["\(options.shardNum) shards", "\(options.replicas) replicas"]
        if options.hasSegmentInterval { parts.append("segments of \(text(options.segmentInterval))") }
        if options.hasTtl { parts.append("kept for \(text(options.ttl))") }
        for stage in options.stages {
            parts.append("stage \(stage.name) of \(stage.shardNum) shards for \(text(stage.ttl))")
        }
        return parts.joined(separator: ", ")
    }

    private static func text(_ rule: Banyandb_Common_V1_IntervalRule) -> String {
        switch rule.unit {
        case .hour: "\(rule.num) h"
        case .day: "\(rule.num) d"
        default: "\(rule.num)"
        }
    }
}

/// A difference between two answers of a node.
public struct StateChange: Hashable, Sendable {
    let name: StateFacts.Name
    let before: ExactText?
    let after: ExactText?

    public var section: StateFacts.Section { name.section }
    /// Longer texts are cut where they are shown.
    static let shownCharacters = 500

    public var key: String { Self.cut(name.key.text) }

    /// As it is shown: values of secrets are compared, and never shown.
    public var shownBefore: String? { shown(before) }
    public var shownAfter: String? { shown(after) }

    private func shown(_ value: ExactText?) -> String? {
        let isSetting = section == .startup || section == .runtime
        return value.map { Self.cut(isSetting ? Secrets.shown($0.text, key: name.key.text) : $0.text) }
    }

    private static func cut(_ text: String) -> String {
        text.unicodeScalars.count <= shownCharacters
            ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(shownCharacters))) + "…"
    }

    public static func areInOrder(_ one: StateChange, _ other: StateChange) -> Bool { one.name < other.name }
}

extension String.StringInterpolation {
    fileprivate mutating func appendInterpolation(hexadecimal value: UInt64) {
        appendLiteral(String(value, radix: 16))
    }
}
