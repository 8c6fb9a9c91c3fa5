// SPDX-License-Identifier: Apache-2.0

/// A place in a lane's agent table.
///
/// `tenure` counts the tenants of a slot, so that a record of an earlier tenant is never taken for the present one's.
public struct SlotRef: Hashable, Sendable {
    public var index: UInt32
    public var tenure: UInt32

    public init(index: UInt32, tenure: UInt32) {
        self.index = index
        self.tenure = tenure
    }

    /// For records that belong to no agent.
    public static let none = SlotRef(index: .max, tenure: 0)
}
