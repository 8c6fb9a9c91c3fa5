// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// The name of a schema object.
struct SchemaObjectName: Hashable, Comparable, Sendable {
    private let exactKind: ExactText
    private let exactName: ExactText

    init(kind: String, name: String) {
        exactKind = ExactText(kind)
        exactName = ExactText(name)
    }

    var kind: String { exactKind.text }
    var name: String { exactName.text }

    static func < (one: SchemaObjectName, other: SchemaObjectName) -> Bool {
        (one.exactKind, one.exactName) < (other.exactKind, other.exactName)
    }
}

/// A node's version of a schema object.
struct NodeSchema: Sendable, Equatable {
    var cache: UInt64
    var runtime: UInt64
}

/// The nodes' fingerprints of one group, as any agents sent them.
public struct ReportedSchema: Sendable {
    private(set) var objects: [SchemaObjectName: [ExactText: NodeSchema]] = [:]
    private(set) var nodes: Set<ExactText> = []
    /// Fingerprints, of all objects and nodes.
    private(set) var count = 0
    /// Fingerprints without a node, or of an object without kind or name.
    public private(set) var droppedRecords = 0

    public init() {}

    /// Of what several agents say of one object at one node the last that is added counts.
    public mutating func add(_ sent: Banyandb_Fodc_V1_SchemaConsistency) {
        for object in sent.objects {
            guard !object.kind.isEmpty, !object.name.isEmpty else {
                droppedRecords += max(1, object.nodeFingerprints.count)
                continue
            }
            add(object.nodeFingerprints, of: SchemaObjectName(kind: object.kind, name: object.name))
        }
    }

    private mutating func add(_ fingerprints: [Banyandb_Fodc_V1_NodeFingerprint], of object: SchemaObjectName) {
        for fingerprint in fingerprints {
            guard !fingerprint.node.isEmpty else {
                droppedRecords += 1
                continue
            }
            let schema = NodeSchema(cache: fingerprint.cacheFingerprint, runtime: fingerprint.runtimeFingerprint)
            let node = ExactText(fingerprint.node)
            nodes.insert(node)
            if objects[object, default: [:]].updateValue(schema, forKey: node) == nil { count += 1 }
        }
    }
}
