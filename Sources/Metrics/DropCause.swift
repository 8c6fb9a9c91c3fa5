// SPDX-License-Identifier: Apache-2.0

/// Why a sample of an otherwise good message was left out. The others of the message are taken.
public enum DropCause: Int, CaseIterable, Sendable {
    /// Prometheus's text format has no such metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    case invalidMetricName
    /// Prometheus's text format has no such label name: `[a-zA-Z_][a-zA-Z0-9_]*`.
    case invalidLabelName
    /// `__name__` as a label: it would replace the name of the metric.
    case reservedLabelName
    /// Name, label name or label value is not UTF-8.
    case invalidUTF8
    /// The same series a second time in one message; the larger value counts.
    case duplicateSeries
    /// The agent has `SeriesLimits.maxSeriesPerAgent` series already, or `maxNamesPerAgent` names.
    case seriesLimit
    /// More labels than `SeriesLimits.maxLabelsPerSeries`.
    case tooManyLabels
    /// A name, a label value or the whole text of the series is longer than the limits allow.
    case textTooLong
    /// More different sample times in a window answer than `SeriesLimits.maxDistinctTimes`.
    case tooManyTimes
    /// The name begins like those of the proxy's own metrics: `fodc_proxy_`.
    case reservedMetricName

    /// In snake case, as the value of a metric's label.
    public var name: String {
        switch self {
        case .invalidMetricName: "invalid_metric_name"
        case .invalidLabelName: "invalid_label_name"
        case .reservedLabelName: "reserved_label_name"
        case .invalidUTF8: "invalid_utf8"
        case .duplicateSeries: "duplicate_series"
        case .seriesLimit: "series_limit"
        case .tooManyLabels: "too_many_labels"
        case .textTooLong: "text_too_long"
        case .tooManyTimes: "too_many_times"
        case .reservedMetricName: "reserved_metric_name"
        }
    }
}

/// How many samples were left out, by cause.
public struct DropCounts: Sendable, Equatable {
    private var counts = [Int](repeating: 0, count: DropCause.allCases.count)

    public init() {}

    public subscript(cause: DropCause) -> Int {
        get { counts[cause.rawValue] }
        set { counts[cause.rawValue] = newValue }
    }

    public var total: Int { counts.reduce(0, +) }
}
