// SPDX-License-Identifier: Apache-2.0

/// How much the schema check holds and works for; agents are not to be trusted with either.
public struct SchemaLimits: Equatable, Sendable {
    /// Disagreements that are remembered, and so can be reported. One is usual per object and node that is behind.
    public var counters = 200_000
    /// Groups whose last verdict is kept for the gauge: each is a series.
    public var verdicts = 10_000
    /// Limit of the encoded form: it lies in the exporter's state ring.
    public var encodedBytes = 8 << 20
    /// Objects of the registry times nodes, less what was reported: the work that no received byte pays for.
    public var unreportedPairs = 2_000_000

    public init() {}
}
