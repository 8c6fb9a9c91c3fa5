// SPDX-License-Identifier: Apache-2.0

/// The type of a metric; the raw values are those of `banyandb.fodc.v1.MetricType`.
public enum SampleType: UInt8, Sendable {
    case gauge = 1
    case counter = 2
    case histogram = 3
    case summary = 4
    case untyped = 5

    /// Components of histograms and summaries carry no description.
    public var hasDescription: Bool {
        self != .histogram && self != .summary
    }

    /// As the text format's `# TYPE` lines say it.
    public var text: String {
        switch self {
        case .gauge: "gauge"
        case .counter: "counter"
        case .histogram: "histogram"
        case .summary: "summary"
        case .untyped: "untyped"
        }
    }
}
