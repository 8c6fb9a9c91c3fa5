// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// The outcome of reading the schema registry.
public enum RegistryOutcome: Equatable, Sendable {
    /// A liaison agent has answered.
    case read(RegistryContents)
    /// No agent of the role that serves the registry.
    case noLiaison
    /// All that were asked failed, for these reasons, one an agent in the order in which they were asked.
    case failed(reasons: [String])

    /// Why nothing is known of any group.
    var fatalError: String? {
        switch self {
        case .read: nil
        case .noLiaison: "registry unavailable: no schema-serving (liaison) agent available to read the registry"
        case .failed(let reasons):
            "registry unavailable: schema registry read failed on all \(reasons.count) liaison agent(s): "
                + reasons.joined(separator: "; ")
        }
    }

    /// Nil when the registry gave nothing for it. A group that is there without objects is given: all that nodes have
    /// of it are orphans.
    func group(_ name: String) -> RegistryContents.Group? {
        guard case .read(let contents) = self else { return nil }
        return contents.groups[ExactText(name)]
    }
}

/// The schema registry, as one liaison agent read it.
public struct RegistryContents: Equatable, Sendable {
    struct Group: Equatable, Sendable {
        var objects: [SchemaObjectName: UInt64] = [:]
        /// Each once, in the order in which they came.
        var errors: [String] = []
    }

    private(set) var groups: [ExactText: Group] = [:]
    /// Set when the agent said that the whole read failed: then the next liaison is to be asked.
    public private(set) var failure: String?
    /// Groups without a name and objects without kind or name.
    public private(set) var droppedRecords = 0

    public init(_ messages: [Banyandb_Fodc_V1_StreamSchemaRegistryRequest]) {
        for message in messages where message.hasGroup { add(message.group) }
    }

    private mutating func add(_ chunk: Banyandb_Fodc_V1_SchemaRegistryGroup) {
        guard !chunk.group.isEmpty else {
            if chunk.error.isEmpty { droppedRecords += 1 } else { failure = failure ?? chunk.error }
            return
        }
        for object in chunk.objects where object.kind.isEmpty || object.name.isEmpty { droppedRecords += 1 }
        let name = ExactText(chunk.group)
        let named = chunk.objects.lazy.filter { !$0.kind.isEmpty && !$0.name.isEmpty }
        for object in named {
            groups[name, default: Group()].objects[SchemaObjectName(kind: object.kind, name: object.name)] =
                object.fingerprint
        }
        var group = groups[name] ?? Group()
        let isKnown = group.errors.contains { ExactText.areEqual($0, chunk.error) }
        if !chunk.error.isEmpty && !isKnown { group.errors.append(chunk.error) }
        groups[name] = group
    }
}
