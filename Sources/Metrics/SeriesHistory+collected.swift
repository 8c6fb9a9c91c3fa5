// SPDX-License-Identifier: Apache-2.0

/// A series with all its points, for programs that calculate with them.
public struct CollectedSeries: Sendable {
    public struct Point: Equatable, Sendable {
        /// Since the epoch.
        public var microseconds: Int64
        public var value: Double
    }

    public var name: String
    /// In the order of the series' text, without escapes.
    public var labels: [(name: String, value: String)]
    /// In the order of their times.
    public var points: [Point]

    public func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }
}

extension SeriesHistory {
    /// The series of the present part that have points, sorted by name, then by labels.
    public mutating func collected() -> [CollectedSeries] {
        putInOrder()
        var found: [CollectedSeries] = []
        for family in families {
            let name = String(decoding: family.name, as: UTF8.self)
            for place in family.range where !series[place].points.isEmpty {
                let text = series[place].text
                var labels: [(name: String, value: String)] = []
                var reader = SeriesLabels(text.span.bytes, nameBytes: family.name.count)
                while let label = reader.next(text.span.bytes) {
                    let value = SeriesLabels.unescaped(text.span.bytes, label.value)
                    labels.append(
                        (String(decoding: text[label.name], as: UTF8.self), String(decoding: value, as: UTF8.self)))
                }
                let points = series[place].points.map {
                    CollectedSeries.Point(microseconds: $0.time, value: Double(bitPattern: $0.bits))
                }
                found.append(CollectedSeries(name: name, labels: labels, points: points))
            }
        }
        return found
    }
}
