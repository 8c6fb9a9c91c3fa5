// SPDX-License-Identifier: Apache-2.0

/// Disagreements between the registry and a node, each for a number of the node's lifecycle answers, after which the
/// node is right again.
public struct SchemaFaults: Sendable, Equatable {
    /// In the order in which a flag names them.
    public enum Kind: String, Sendable, CaseIterable {
        /// The node does not have the object.
        case missing
        /// The node knows an older version of the object.
        case stale
        /// The node knows the present version but works with an older one.
        case notApplied = "not-applied"
        /// The node has an object that the registry does not have.
        case orphan
    }

    /// Answers with the fault; a kind that is not in it has none.
    public var rounds: [Kind: Int] = [:]

    public static let maximumRounds = 1_000_000

    public init() {}

    /// Reads `missing:2,orphan:5`; `nil` for an unknown or repeated kind, or a number that is not 0...1000000.
    public init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: ":", omittingEmptySubsequences: false)
            guard pair.count == 2, let kind = Kind(rawValue: String(pair[0])), rounds[kind] == nil,
                let number = Int(pair[1]), (0...Self.maximumRounds).contains(number)
            else { return nil }
            rounds[kind] = number
        }
    }

    /// The faults of the answer after `answered` others.
    func active(answered: Int) -> Set<Kind> {
        Set(rounds.filter { answered < $0.value }.keys)
    }
}
