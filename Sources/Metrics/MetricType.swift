// SPDX-License-Identifier: Apache-2.0

/// `banyandb.fodc.v1.MetricType`. A number that the enum does not have counts as `unspecified`.
public enum MetricType: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case unspecified = 0
    case gauge = 1
    case counter = 2
    case histogram = 3
    case summary = 4
    case untyped = 5

    /// The word of a `# TYPE` line; `unspecified` has none and is never written.
    public var word: String {
        switch self {
        case .unspecified: "unspecified"
        case .gauge: "gauge"
        case .counter: "counter"
        case .histogram: "histogram"
        case .summary: "summary"
        case .untyped: "untyped"
        }
    }
}
