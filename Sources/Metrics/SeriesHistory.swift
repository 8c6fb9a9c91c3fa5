// SPDX-License-Identifier: Apache-2.0
import Platform

/// The stored samples of one agent as text, each series with all its points: what other programs load.
///
/// Points come sample by sample and leave series by series, so they are collected first: for as many metric names at a time
/// as memory is to be used for. The caller that has the samples passes them once for each such part.
public struct SeriesHistory {
    public enum Format: String, CaseIterable, Sendable {
        /// OpenMetrics 1.0 with time stamps, for `promtool tsdb create-blocks-from openmetrics`. Names are as the agents
        /// send them; metrics that are no gauges are of type `unknown`, because OpenMetrics asks counters for a suffix.
        case openMetrics = "openmetrics"
        /// Prometheus' text format with time stamps, for VictoriaMetrics' `/api/v1/import/prometheus`.
        case prometheus
        /// The elements of `/metrics-windows`, with times as exact as they are known. A NaN that is not Prometheus' ordinary
        /// one has its bit pattern beside it, so that every value can be told exactly.
        case json
    }

    /// A series in all tables that have it.
    struct Series {
        /// `name{a="1"} `
        var text: [UInt8]
        var points: [Point] = []
        /// Points came in another order than that of their times.
        var isUnordered = false
    }

    struct Point {
        /// Microseconds since the epoch.
        var time: SampleTime
        var bits: UInt64
    }

    struct Family {
        var name: [UInt8]
        var description: [UInt8]
        var isGauge: Bool
        /// Places in `series`.
        var range: Range<Int>
    }

    private let tables: [Int64: SeriesTable]
    private let matches: [SeriesMatch]
    /// Of all tables, sorted.
    private let names: [[UInt8]]
    private(set) var families: [Family] = []
    private(set) var series: [Series] = []
    /// By table: the place of a series in the table, and here.
    private var places: [Int64: [(inTable: Int, here: Int)]] = [:]

    /// - Parameters:
    ///   - tables: by the number by which samples name them.
    ///   - matches: what is wanted; empty: everything.
    public init(tables: [Int64: SeriesTable], matches: [SeriesMatch] = []) {
        self.tables = tables
        self.matches = matches
        var names: Set<[UInt8]> = []
        for table in tables.values {
            for block in table.blocks {
                let name = Array(table.bytes[block.name])
                if matches.isEmpty || matches.contains(where: { $0.accepts(name: name) }) { names.insert(name) }
            }
        }
        self.names = names.sorted { ByteOrder.compare($0, $1) < 0 }
    }

    /// Parts of the names such that each has no more than `maximumPoints` points, or one name, when each series has `rows`.
    public func parts(rows: Int, maximumPoints: Int) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var (start, points) = (0, 0)
        for (index, name) in names.enumerated() {
            let count = seriesCount(of: name) * max(1, rows)
            if points + count > maximumPoints, index > start {
                parts.append(start..<index)
                (start, points) = (index, 0)
            }
            points += count
        }
        if start < names.count { parts.append(start..<names.count) }
        return parts
    }

    /// At least as many as there are: a series that is in several tables counts in each.
    private func seriesCount(of name: [UInt8]) -> Int {
        tables.values.reduce(0) { $0 + (Self.block(of: name, in: $1)?.count ?? 0) }
    }

    private static func block(of name: [UInt8], in table: SeriesTable) -> SeriesTable.Block? {
        // Sorted by name.
        var (low, high) = (0, table.blocks.count)
        while low < high {
            let middle = (low + high) / 2
            let bytes = table.bytes
            let order = ByteOrder.compare(
                bytes.span.bytes.extracting(table.blocks[middle].name), name.span.bytes)
            if order == 0 { return table.blocks[middle] }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Begins a part; what was collected before is forgotten.
    public mutating func begin(_ part: Range<Int>) {
        (families, series, places) = ([], [], [:])
        for name in names[part] { addFamily(name) }
    }

    private mutating func addFamily(_ name: [UInt8]) {
        let wanted = matches.filter { $0.accepts(name: name) }
        var texts: [[UInt8]: [(table: Int64, series: Int)]] = [:]
        var isGauge = true
        var description: [UInt8] = []
        for (id, table) in tables {
            guard let block = Self.block(of: name, in: table) else { continue }
            if block.type != .gauge { isGauge = false }
            if !block.description.isEmpty { description = Array(table.bytes[block.description]) }
            var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
            var index = block.first
            let bytes = table.bytes
            while decoder.next(bytes.span.bytes) {
                let text = decoder.text
                if wanted.isEmpty || wanted.contains(where: { $0.acceptsLabels(of: text.span.bytes) }) {
                    texts[text, default: []].append((id, index))
                }
                index += 1
            }
        }
        let start = series.count
        for (text, members) in texts.sorted(by: { ByteOrder.compare($0.key, $1.key) < 0 }) {
            for member in members { places[member.table, default: []].append((member.series, series.count)) }
            series.append(Series(text: text))
        }
        guard series.count > start else { return }
        families.append(Family(name: name, description: description, isGauge: isGauge, range: start..<series.count))
    }

    /// Adds the values of a sample. Of several values of a series with one time the first that comes counts: agents send
    /// their last reading again when they are asked more often than they read.
    public mutating func add(_ sample: SampleColumns, table: Int64) {
        guard let places = places[table], sample.valueBits.count == tables[table]?.seriesCount else { return }
        let received = SampleTime(nanosecondsSinceEpoch: sample.receivedAtNanoseconds)
        for (inTable, here) in places {
            let bits = sample.valueBits[inTable]
            guard bits != SampleBits.stale else { continue }
            let sent =
                sample.timesMicroseconds.isEmpty ? sample.commonTimeMicroseconds : sample.timesMicroseconds[inTable]
            let time = sent == .unset ? received : sent
            if let last = series[here].points.last {
                if last.time == time { continue }
                // Samples that were missing here and were fetched later are in chunks of their own.
                if last.time > time { series[here].isUnordered = true }
            }
            series[here].points.append(Point(time: time, bits: bits))
        }
    }

    /// To be called when all samples of a part have been added: puts points in the order of their times.
    mutating func putInOrder() {
        for place in series.indices where series[place].isUnordered {
            let sorted = series[place].points.enumerated().sorted {
                ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
            }
            var points: [Point] = []
            points.reserveCapacity(sorted.count)
            for (_, point) in sorted where points.last?.time != point.time { points.append(point) }
            series[place].points = points
            series[place].isUnordered = false
        }
    }
}
