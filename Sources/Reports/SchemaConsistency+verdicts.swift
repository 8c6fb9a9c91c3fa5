// SPDX-License-Identifier: Apache-2.0
import FODCProtocol
import Platform

/// The last verdicts, for those who keep a record of them.
extension SchemaConsistency {
    /// Of a group; the raw value is for people.
    public enum GroupStatus: String, Sendable {
        case consistent, inconsistent, unknown
    }

    /// In the order of the groups' names.
    public var groupVerdicts: [(group: String, status: GroupStatus)] {
        verdicts.sorted { $0.key < $1.key }.map { group, status in
            switch status {
            case .consistent: (group.text, .consistent)
            case .inconsistent: (group.text, .inconsistent)
            case .unspecified, .unknown, .UNRECOGNIZED: (group.text, .unknown)
            }
        }
    }

    /// Where the nodes of a group disagreed when it was last compared: how many objects, at which nodes.
    public func differences(inGroup group: String) -> (objects: Int, nodes: [String]) {
        let places = counted[ExactText(group)] ?? []
        return (Set(places.map(\.object)).count, Set(places.map(\.node)).sorted().map(\.text))
    }
}
