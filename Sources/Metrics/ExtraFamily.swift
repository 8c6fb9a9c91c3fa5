// SPDX-License-Identifier: Apache-2.0

/// A family that does not come from an agent: the proxy's own metrics. It takes its place in the order of names.
public struct ExtraFamily: Sendable {
    public var name: String
    public var type: MetricType
    /// Unescaped.
    public var help: String
    /// Whole lines `name{labels} value\n`, as `PrometheusText.appendSample` writes them.
    public var lines: [UInt8]
    public var sampleCount: Int

    public init(name: String, type: MetricType, help: String, lines: [UInt8], sampleCount: Int) {
        self.name = name
        self.type = type
        self.help = help
        self.lines = lines
        self.sampleCount = sampleCount
    }
}
