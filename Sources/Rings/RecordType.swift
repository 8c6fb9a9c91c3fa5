// SPDX-License-Identifier: Apache-2.0

/// The type of a record. `Rings` knows the three whose positions stand in the agent's slot; the others are named in
/// `RingMessages`.
public struct RecordType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The identity of an agent.
    public static let identity = RecordType(rawValue: 1)
    /// An agent's whole table of series.
    public static let series = RecordType(rawValue: 2)
    /// The values of one answer.
    public static let sample = RecordType(rawValue: 3)
}
