// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// The groups of the simulated database and what is defined in them.
struct SchemaCatalogue: Sendable {
    let groups: [SchemaGroup]
    let seed: UInt64

    /// - Parameter groupCount: 0 or more; the first ones are always the same.
    init(groupCount: Int, seed: UInt64) {
        self.seed = seed
        groups = (0..<groupCount).map { position in
            let (round, place) = position.quotientAndRemainder(dividingBy: SchemaGroup.templates.count)
            return round == 0 ? SchemaGroup.templates[place] : SchemaGroup.templates[place].numbered(round)
        }
    }

    /// The fingerprint that registry and nodes agree on unless something is wrong: `mix(fnv1a("GROUP/KIND/NAME") xor mix(seed))` (see
    /// ``StableHash``), with the lowest bit set, for 0 means that there is no such object.
    func fingerprint(of object: SchemaObject, in group: SchemaGroup) -> UInt64 {
        StableHash.key("\(group.name)/\(object.kind)/\(object.name)", seed: seed) | 1
    }
}

struct SchemaObject: Sendable, Equatable {
    let kind: String
    let name: String
}
