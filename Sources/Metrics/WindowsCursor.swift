// SPDX-License-Identifier: Apache-2.0
import JSONWriting
import Platform

/// Renders the JSON array of `/metrics-windows`, chunk by chunk: one element for each series and agent, sorted by name,
/// pod name, labels.
public struct WindowsCursor {
    /// One agent's data of one table.
    private struct Source {
        /// Place in `agentIDs`; the sources of one agent are neighbours.
        var agent: Int
        var table: SeriesTable
        var filter: TableFilter
        var points: SeriesPoints
    }

    /// A metric name and where its series are.
    private struct Name {
        var bytes: [UInt8]
        /// Source and block.
        var members: [BlockReference]
    }

    /// One series of one source, ready to be sorted.
    private struct Element {
        var podName: [UInt8]
        var text: [UInt8]
        var source: Int
        var series: Int
        var description: [UInt8]
    }

    // Appending an array is one copy; a string's UTF-8 is a detour.
    private static let nameKey = Array("{\"name\":".utf8)
    private static let descriptionKey = Array(",\"description\":".utf8)
    private static let labelsKey = Array(",\"labels\":{".utf8)
    private static let agentKey = Array("},\"agent_id\":".utf8)
    private static let podKey = Array(",\"pod_name\":".utf8)
    private static let dataKey = Array(",\"data\":[".utf8)

    private enum Stage {
        case before, elements, after
    }

    private let agentIDs: [String]
    private let sources: [Source]
    private let names: [Name]
    private let role: [UInt8]?
    private let podName: [UInt8]?

    private var name = 0
    private var elements: [Element] = []
    private var element = 0
    private var stage = Stage.before
    private var isDone = false
    /// To be written before the points.
    private var text: [UInt8] = []
    private var textOffset = 0
    private var points: ArraySlice<SeriesPoints.Point> = []
    private var point = 0
    private var pointWriter = PointWriter()
    private var pending = PendingBytes()

    /// Points rendered so far.
    public private(set) var samplesRendered = 0

    /// Of a window: every point of every batch; of the same series and time, the larger value.
    public init(windows: [WindowAgent], filter: SeriesFilter? = nil) {
        let agents = windows.filter { filter?.accepts(role: $0.role, podName: $0.podName) ?? true }
        var sources: [Source] = []
        for (index, agent) in agents.enumerated() {
            var byTable: [(table: SeriesTable, batches: [WindowBatch])] = []
            for batch in agent.batches {
                if let known = byTable.firstIndex(where: { $0.table === batch.table }) {
                    byTable[known].batches.append(batch)
                } else {
                    byTable.append((batch.table, [batch]))
                }
            }
            for (table, batches) in byTable {
                sources.append(
                    Source(
                        agent: index, table: table, filter: TableFilter(filter, table),
                        points: SeriesPoints(batches, seriesCount: table.seriesCount)))
            }
        }
        self.init(agentIDs: agents.map(\.agentID), sources: sources, filter: filter)
    }

    /// Of the latest samples: one point a series.
    public init(latest: [AgentSnapshot], filter: SeriesFilter? = nil) {
        let agents = latest.filter {
            (filter?.accepts(role: $0.role, podName: $0.podName) ?? true) && $0.sample.tableNumber == $0.table.number
                && $0.sample.bits.count == $0.table.seriesCount
        }
        let sources = agents.enumerated().map { index, agent in
            Source(
                agent: index, table: agent.table, filter: TableFilter(filter, agent.table),
                points: SeriesPoints(agent.sample))
        }
        self.init(agentIDs: agents.map(\.agentID), sources: sources, filter: filter)
    }

    private init(agentIDs: [String], sources: [Source], filter: SeriesFilter?) {
        self.agentIDs = agentIDs
        self.sources = sources
        role = filter?.role.map { Array($0.utf8) }
        podName = filter?.podName.map { Array($0.utf8) }
        var members: [[UInt8]: [BlockReference]] = [:]
        for (index, source) in sources.enumerated() where source.filter != .none {
            for block in source.table.blocks.indices {
                let bytes = Array(source.table.bytes[source.table.blocks[block].name])
                members[bytes, default: []].append(BlockReference(agent: index, block: block))
            }
        }
        names = members.map { Name(bytes: $0.key, members: $0.value) }.sorted {
            ByteOrder.compare($0.bytes, $1.bytes) < 0
        }
    }

    /// Appends as much as there is room for and returns whether that was all. Any chunk will do; those of 64 KiB and
    /// more are fastest.
    public mutating func render(into output: inout OutputRawSpan) -> Bool {
        let start = output.byteCount
        while true {
            guard pending.flush(into: &output) else { return false }
            if isDone { return true }
            output.withByteWriter { renderElements(&$0) }
            if isDone { return true }
            if output.byteCount > start { return false }
            // Not even the next point fits this chunk: it is made elsewhere and handed over in pieces.
            var next = PendingBytes()
            next.fill { renderElements(&$0) }
            pending = next
        }
    }

    /// Renders until all is done or there is too little room for the next thing.
    private mutating func renderElements(_ writer: inout ByteWriter) {
        while !isDone {
            // The text before and between the points: made once for each series, written in as many pieces as need
            // be.
            let count = min(text.count - textOffset, writer.freeCapacity)
            writer.append(text.span.bytes, from: textOffset, byteCount: count)
            textOffset += count
            guard textOffset == text.count, writePoints(&writer) else { return }
            advance()
        }
    }

    private mutating func writePoints(_ writer: inout ByteWriter) -> Bool {
        let start = points.startIndex
        while point < points.endIndex {
            guard writer.freeCapacity >= PointWriter.reserveBytes else { return false }
            if point > start { writer.append(UInt8(ascii: ",")) }
            pointWriter.append(points[point], to: &writer)
            point += 1
        }
        return true
    }

    /// Goes on to the next element: what stands before its points becomes the text, together with the end of the one
    /// before.
    private mutating func advance() {
        text.removeAll(keepingCapacity: true)
        textOffset = 0
        points = []
        point = 0
        switch stage {
        case .before: text.append(UInt8(ascii: "["))
        case .elements: text.append(contentsOf: "]}".utf8)
        case .after:
            isDone = true
            return
        }
        while element == elements.count {
            guard name < names.count else {
                text.append(contentsOf: "]\n".utf8)
                stage = .after
                return
            }
            elements = gather(names[name])
            element = 0
            name += 1
        }
        if stage == .elements { text.append(contentsOf: ",\n".utf8) }
        stage = .elements
        var end = element + 1
        // The same series in another table of the same agent: one element.
        while end < elements.count, sources[elements[end].source].agent == sources[elements[element].source].agent,
            elements[end].text == elements[element].text
        {
            end += 1
        }
        begin(elements[element..<end])
        element = end
    }

    /// The series of one name that have points and pass the filter, sorted.
    private func gather(_ name: Name) -> [Element] {
        var elements: [Element] = []
        for member in name.members {
            let source = sources[member.agent]
            let block = source.table.blocks[member.block]
            let bytes = source.table.bytes
            let description = Array(bytes[block.description])
            var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
            var series = block.first
            while decoder.next(bytes.span.bytes) {
                defer { series += 1 }
                guard source.points.hasPoints(series) else { continue }
                let text = decoder.text
                if source.filter == .each,
                    !SeriesLabels.passes(text.span.bytes, nameBytes: name.bytes.count, role: role, podName: podName)
                {
                    continue
                }
                elements.append(
                    Element(
                        podName: SeriesLabels.value(
                            of: LabelNames.podName, in: text.span.bytes, nameBytes: name.bytes.count),
                        text: text, source: member.agent, series: series, description: description))
            }
        }
        elements.sort { a, b in
            let pods = ByteOrder.compare(a.podName, b.podName)
            if pods != 0 { return pods < 0 }
            let texts = ByteOrder.compare(a.text, b.text)
            return texts != 0 ? texts < 0 : a.source < b.source
        }
        return elements
    }

    /// Everything of an element up to its points. `parts`: the same series in the tables of one agent.
    private mutating func begin(_ parts: ArraySlice<Element>) {
        guard let first = parts.first else { return }
        let nameBytes = names[name - 1].bytes
        text.append(contentsOf: Self.nameKey)
        JSONText.append(bytes: nameBytes.span.bytes, to: &text)
        text.append(contentsOf: Self.descriptionKey)
        let description = parts.last { !$0.description.isEmpty }?.description ?? []
        JSONText.append(bytes: description.span.bytes, to: &text)
        text.append(contentsOf: Self.labelsKey)
        let series = first.text
        var labels = SeriesLabels(series.span.bytes, nameBytes: nameBytes.count)
        var separator: UInt8?
        while let label = labels.next(series.span.bytes) {
            if let separator { text.append(separator) }
            separator = UInt8(ascii: ",")
            JSONText.append(bytes: series.span.bytes.extracting(label.name), to: &text)
            text.append(UInt8(ascii: ":"))
            if SeriesLabels.isEscaped(series.span.bytes, label.value) {
                let value = SeriesLabels.unescaped(series.span.bytes, label.value)
                JSONText.append(bytes: value.span.bytes, to: &text)
            } else {
                JSONText.append(bytes: series.span.bytes.extracting(label.value), to: &text)
            }
        }
        text.append(contentsOf: Self.agentKey)
        JSONText.append(agentIDs[sources[first.source].agent], to: &text)
        text.append(contentsOf: Self.podKey)
        JSONText.append(bytes: first.podName.span.bytes, to: &text)
        text.append(contentsOf: Self.dataKey)
        points =
            parts.count == 1
            ? sources[first.source].points.points(of: first.series)
            : SeriesPoints.join(parts.map { sources[$0.source].points.points(of: $0.series) })
        point = points.startIndex
        samplesRendered += points.count
    }
}
