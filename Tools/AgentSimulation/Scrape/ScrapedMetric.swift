// SPDX-License-Identifier: Apache-2.0

/// One sample of an endpoint, with what the lines before it say of its family.
public struct ScrapedMetric: Sendable, Equatable {
    public struct Label: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var name: String
    /// In the order of the line.
    public var labels: [Label]
    public var value: Double
    public var type: SampleType
    /// Of the family; empty for components of histograms and summaries, as agents send them.
    public var help: String
}
