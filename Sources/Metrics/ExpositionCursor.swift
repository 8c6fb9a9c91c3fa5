// SPDX-License-Identifier: Apache-2.0
import Platform

/// Renders a snapshot as Prometheus text, chunk by chunk: a slow client costs one chunk and the snapshot, which scrapes
/// share.
public struct ExpositionCursor {
    /// A family of agents, one of the proxy's own, or both under one name.
    private struct Item {
        var name: [UInt8]
        var family: Int?
        var extra: Int?
    }

    private enum Stage {
        /// The extra family's head, then its lines.
        case extraHead, extraLines
        case members
    }

    private let snapshot: FamilySnapshot
    private let extraFamilies: [ExtraFamily]
    private let items: [Item]
    private let tableFilters: [TableFilter]
    private let role: [UInt8]?
    private let podName: [UInt8]?

    private var item = 0
    private var stage = Stage.extraHead
    private var extraOffset = 0
    private var member = 0
    private var isHeadWritten = false
    /// The next line of the block that is under way, the place of its entry, and the text before it.
    private var line = 0
    private var place = 0
    private var template: [UInt8] = []
    /// Rendered, but there was no room for it in the chunk.
    private var pending = PendingBytes()

    /// Samples rendered so far, the extra families' included.
    public private(set) var samplesRendered = 0

    /// - Parameter comment: whole lines that begin with `#`, before everything else; at most some hundred bytes.
    public init(
        snapshot: FamilySnapshot, filter: SeriesFilter? = nil, extraFamilies: [ExtraFamily] = [], comment: [UInt8] = []
    ) {
        self.snapshot = snapshot
        self.extraFamilies = extraFamilies
        role = filter?.role.map { Array($0.utf8) }
        podName = filter?.podName.map { Array($0.utf8) }
        tableFilters = snapshot.agents.map { agent in
            guard filter?.accepts(role: agent.role, podName: agent.podName) ?? true else { return .none }
            return TableFilter(filter, agent.table)
        }
        items = Self.merge(snapshot.families, extraFamilies)
        if !comment.isEmpty { pending.fill { $0.append(comment.span.bytes, from: 0, byteCount: comment.count) } }
    }

    /// In the order of their names. The agents' families are in it already, and there may be hundreds of thousands.
    private static func merge(_ families: [Family], _ extraFamilies: [ExtraFamily]) -> [Item] {
        let extras = extraFamilies.enumerated().map { Item(name: Array($1.name.utf8), family: nil, extra: $0) }
            .sorted { ByteOrder.compare($0.name, $1.name) < 0 }
        var items: [Item] = []
        items.reserveCapacity(families.count + extras.count)
        var family = 0
        for var extra in extras {
            while family < families.count, ByteOrder.compare(families[family].name, extra.name) < 0 {
                items.append(Item(name: families[family].name, family: family, extra: nil))
                family += 1
            }
            if family < families.count, families[family].name == extra.name {
                extra.family = family
                family += 1
            }
            items.append(extra)
        }
        items += families.indices[family...].map { Item(name: families[$0].name, family: $0, extra: nil) }
        return items
    }

    private var isDone: Bool { item == items.count }

    /// Appends as much as there is room for and returns whether that was all. Any chunk will do; those of 64 KiB and
    /// more are fastest.
    public mutating func render(into output: inout OutputRawSpan) -> Bool {
        let start = output.byteCount
        while true {
            guard pending.flush(into: &output) else { return false }
            if isDone { return true }
            output.withByteWriter { writer in
                renderItems(&writer)
            }
            if isDone { return true }
            if output.byteCount > start { return false }
            // Not even the next line fits this chunk: it is made elsewhere and handed over in pieces.
            var next = PendingBytes()
            next.fill { renderItems(&$0) }
            pending = next
        }
    }

    /// Renders until all is done or there is too little room for the next thing.
    private mutating func renderItems(_ writer: inout ByteWriter) {
        while !isDone {
            switch stage {
            case .extraHead:
                if let extra = items[item].extra {
                    var help: [UInt8] = []
                    PrometheusText.appendEscapedHelp(extraFamilies[extra].help, to: &help)
                    guard writeHead(&writer, name: items[item].name, type: extraFamilies[extra].type, help: help) else {
                        return
                    }
                }
                stage = .extraLines
            case .extraLines:
                guard writeExtraLines(&writer) else { return }
                stage = .members
            case .members:
                guard writeMembers(&writer) else { return }
                item += 1
                member = 0
                extraOffset = 0
                isHeadWritten = false
                stage = .extraHead
            }
        }
    }

    /// False when there is too little room.
    private mutating func writeHead(_ writer: inout ByteWriter, name: [UInt8], type: MetricType, help: [UInt8]) -> Bool
    {
        var head: [UInt8] = []
        if !help.isEmpty { head += Array("# HELP ".utf8) + name + [UInt8(ascii: " ")] + help + [UInt8(ascii: "\n")] }
        head += Array("# TYPE ".utf8) + name + [UInt8(ascii: " ")] + Array(type.word.utf8) + [UInt8(ascii: "\n")]
        guard writer.freeCapacity >= head.count else { return false }
        writer.append(head.span.bytes, from: 0, byteCount: head.count)
        isHeadWritten = true
        return true
    }

    private mutating func writeExtraLines(_ writer: inout ByteWriter) -> Bool {
        guard let extra = items[item].extra else { return true }
        let lines = extraFamilies[extra].lines
        if extraOffset == 0 { samplesRendered += extraFamilies[extra].sampleCount }
        let count = min(lines.count - extraOffset, writer.freeCapacity)
        writer.append(lines.span.bytes, from: extraOffset, byteCount: count)
        extraOffset += count
        return extraOffset == lines.count
    }

    private mutating func writeMembers(_ writer: inout ByteWriter) -> Bool {
        guard let index = items[item].family else { return true }
        let members = snapshot.families[index].members
        while member < members.count {
            let reference = members[member]
            let table = snapshot.agents[reference.agent].table
            let block = table.blocks[reference.block]
            if line == 0 {
                place = block.coded.lowerBound
                if tableFilters[reference.agent] == .none || !hasVisible(reference, table, block) {
                    member += 1
                    continue
                }
                if !isHeadWritten {
                    let family = snapshot.families[index]
                    guard writeHead(&writer, name: family.name, type: family.type, help: family.help) else {
                        return false
                    }
                }
            }
            guard writeLines(&writer, reference, table, block) else { return false }
            line = 0
            member += 1
        }
        return true
    }

    /// Does the block have a line to show? The family's head is not written without one.
    private func hasVisible(_ reference: BlockReference, _ table: SeriesTable, _ block: SeriesTable.Block) -> Bool {
        let bits = snapshot.agents[reference.agent].sample.bits
        let values = block.first..<(block.first + block.count)
        let showsAll = tableFilters[reference.agent] == .all
        if showsAll && snapshot.hidden[reference.agent].isEmpty {
            for series in values where bits[series] != SampleBits.stale { return true }
            return false
        }
        let hidden = snapshot.hidden[reference.agent]
        let bytes = table.bytes
        var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
        for series in values {
            guard decoder.next(bytes.span.bytes) else { return false }
            if bits[series] != SampleBits.stale, !hidden.contains(series),
                showsAll || passes(decoder.text, nameBytes: block.name.count)
            {
                return true
            }
        }
        return false
    }

    private func passes(_ text: [UInt8], nameBytes: Int) -> Bool {
        SeriesLabels.passes(text.span.bytes, nameBytes: nameBytes, role: role, podName: podName)
    }

    /// The lines of one block from `line` on. False when the room is used up; `line`, `place` and `template` then say
    /// where to go on.
    private mutating func writeLines(
        _ writer: inout ByteWriter, _ reference: BlockReference, _ table: SeriesTable, _ block: SeriesTable.Block
    ) -> Bool {
        let tableBytes = table.bytes
        let bytes = tableBytes.span.bytes
        let sampleBits = snapshot.agents[reference.agent].sample.bits
        let values = sampleBits.span
        let entries = PowersOfTen.shared.entries
        let powers = entries.span
        let hidden = snapshot.hidden[reference.agent]
        // Mostly it shows all. If not, it is asked of each series what it takes, and no more.
        let (passesAll, hidesNone) = (tableFilters[reference.agent] == .all, hidden.isEmpty)
        let showsAll = passesAll && hidesNone
        let lineRoom = block.longestTextBytes + ValueWriter.reserveBytes + ByteWriter.blockBytes + 1
        guard writer.freeCapacity >= lineRoom + (line == 0 ? 0 : template.count) else { return false }

        // The text of the line before lies in the output from textStart to textEnd. If that line is not to be shown,
        // the next one is written over it.
        var textStart = writer.count
        if line > 0 { writer.append(template.span.bytes, from: 0, byteCount: template.count) }
        var textEnd = writer.count
        var isShown = false
        var line = self.line
        var place = self.place
        var rendered = 0
        while line < block.count {
            if writer.freeCapacity < lineRoom {
                template = writer.bytes(from: textStart, byteCount: textEnd - textStart)
                break
            }
            // `SeriesTable` has checked that block.count whole entries lie here, and that they share no more than there
            // is; slack follows.
            let head = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt32.self)
            let prefix = Int(truncatingIfNeeded: head & 0xff)
            let suffix = Int(truncatingIfNeeded: head >> 8 & 0xff)
            var middle = Int(truncatingIfNeeded: head >> 16 & 0xff)
            place &+= 3
            if middle == Int(FrontCoding.longMiddle) {
                middle = Int(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt32.self))
                place &+= 4
            }
            if isShown {
                let start = writer.count
                writer.repeatBytes(from: textStart, byteCount: prefix)
                writer.append(bytes, from: place, byteCount: middle)
                writer.repeatBytes(from: textEnd &- suffix, byteCount: suffix)
                textStart = start
            } else {
                writer.rewrite(from: textStart, prefix: prefix, bytes, from: place, byteCount: middle, suffix: suffix)
            }
            textEnd = writer.count
            place &+= middle
            let series = block.first &+ line
            let bits = values[series]
            line &+= 1
            isShown = bits != SampleBits.stale
            if isShown && !showsAll {
                isShown =
                    (hidesNone || !hidden.contains(series))
                    && (passesAll
                        || passes(
                            writer.bytes(from: textStart, byteCount: textEnd - textStart), nameBytes: block.name.count))
            }
            if isShown {
                ValueWriter.append(bits: bits, to: &writer, powers: powers)
                writer.append(UInt8(ascii: "\n"))
                rendered &+= 1
            }
        }
        if !isShown { writer.truncate(to: textStart) }
        self.line = line
        self.place = place
        samplesRendered += rendered
        return line == block.count
    }
}
