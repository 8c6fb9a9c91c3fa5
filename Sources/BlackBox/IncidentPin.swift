// SPDX-License-Identifier: Apache-2.0
import Platform

/// The samples that an incident keeps, whatever their age: those of its node and of the nodes that it talks to.
public struct IncidentPin: Equatable, Sendable {
    public static let beforeNanoseconds: Int64 = 900_000_000_000
    public static let afterNanoseconds: Int64 = 300_000_000_000
    /// One that flaps for a day keeps the samples around its beginning.
    public static let longestNanoseconds: Int64 = 3_600_000_000_000

    public var fromNanoseconds: Int64
    public var untilNanoseconds: Int64

    public init(_ incident: Incident) {
        fromNanoseconds = incident.openedAtNanoseconds.addingClamped(-Self.beforeNanoseconds)
        let last = max(incident.lastAtNanoseconds, incident.openedAtNanoseconds)
        untilNanoseconds = min(
            last.addingClamped(Self.afterNanoseconds), fromNanoseconds.addingClamped(Self.longestNanoseconds))
    }
}
