// SPDX-License-Identifier: Apache-2.0

/// A place in a ring's agent table.
///
/// `generation` counts the tenants of a slot, so that a record of an earlier tenant is never taken for the present one's.
public struct SlotRef: Hashable, Sendable {
    public var index: UInt32
    public var generation: UInt32

    public init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// For records that belong to no agent.
    public static let none = SlotRef(index: .max, generation: 0)
}
