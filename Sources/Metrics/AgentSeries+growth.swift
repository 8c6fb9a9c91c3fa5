// SPDX-License-Identifier: Apache-2.0

// How a table grows. The place of a series in the column is its place in the rendering order, so nothing but the texts
// has to be kept; the price is that a new series moves those behind it.
extension AgentSeries {
    /// At least so many series must be gone before it is worth while to forget them.
    private static let minPrunedSeries = 64

    /// The new entries of a block: each entry's old place in the column or its new series.
    private struct MergedBlock {
        enum Source {
            case old(Int)
            case newEntry(Int)
        }

        var block: SeriesBlock
        var sources: [Source]
    }

    /// Enters the new series and sets their `series`. Returns where each old series went (nil: forgotten), or nil when
    /// the table is as before.
    ///
    /// With `pruning`, series that the present column has no value for are forgotten when they are the majority or in
    /// the way.
    func enter(_ newSeries: inout NewSeries, _ message: RawSpan, pruning: Bool) -> [Int?]? {
        let order = newSeries.list.indices.sorted { Self.precedes(newSeries.list[$0], newSeries.list[$1]) }
        var relearned = Set<Int>()
        let isRelabelled = resolveKnown(&newSeries, order, message, &relearned)
        let unknown = Self.distinct(order.filter { newSeries.list[$0].series == nil }, newSeries.list)
        var map: [Int?]?
        if !unknown.firsts.isEmpty {
            map = grow(&newSeries, unknown.firsts, message, pruning: pruning)
            for (index, first) in unknown.repeats { newSeries.list[index].series = newSeries.list[first].series }
        }
        if map != nil {
            relearned = Set(relearned.compactMap { map?[$0] })
            podNames.formUnion(newSeries.maker.podNames)
            nodeRoles.formUnion(newSeries.maker.nodeRoles)
        }
        giveSlots(newSeries, relearned)
        if map == nil && isRelabelled { map = (0..<seriesCount).map { $0 } }
        if map != nil { tableNumber &+= 1 }
        return map
    }

    private static func precedes(_ a: NewSeries.NewSeriesEntry, _ b: NewSeries.NewSeriesEntry) -> Bool {
        let names = ByteOrder.compare(
            a.text.span.bytes.extracting(0..<a.nameBytes), b.text.span.bytes.extracting(0..<b.nameBytes))
        return names != 0 ? names < 0 : ByteOrder.compare(a.text, b.text) < 0
    }

    /// Of sorted new series the first of each text, and the others with it.
    private static func distinct(
        _ order: [Int], _ list: [NewSeries.NewSeriesEntry]
    ) -> (firsts: [Int], repeats: [(index: Int, first: Int)]) {
        var firsts: [Int] = []
        var repeats: [(index: Int, first: Int)] = []
        for index in order {
            if let last = firsts.last, list[last].text == list[index].text {
                repeats.append((index, last))
            } else {
                firsts.append(index)
            }
        }
        return (firsts, repeats)
    }

    /// Finds the new series whose text is in the table already: another encoding, another type or another description.
    /// Returns whether a block's type or description became another.
    private func resolveKnown(
        _ newSeries: inout NewSeries, _ order: [Int], _ message: RawSpan, _ relearned: inout Set<Int>
    ) -> Bool {
        var isRelabelled = false
        var place = 0
        while place < order.count {
            let name = Array(newSeries.list[order[place]].text[..<newSeries.list[order[place]].nameBytes])
            var end = place + 1
            while end < order.count, newSeries.list[order[end]].text.starts(with: name),
                newSeries.list[order[end]].nameBytes == name.count
            {
                end += 1
            }
            defer { place = end }
            guard let blockIndex = blockIndex(of: name) else { continue }
            var candidate = place
            let coded = blocks[blockIndex].coded
            var decoder = FrontCoding.Decoder(from: 0, to: coded.count)
            var series = blocks[blockIndex].first
            var changed = false
            while candidate < end, decoder.next(coded.span.bytes) {
                while candidate < end {
                    let index = order[candidate]
                    let comparison = ByteOrder.compare(newSeries.list[index].text, decoder.text)
                    if comparison > 0 { break }
                    candidate += 1
                    guard comparison == 0 else { continue }
                    newSeries.list[index].series = series
                    if relabel(series, blockIndex, newSeries.list[index], message, &changed) {
                        relearned.insert(series)
                    }
                }
                series += 1
            }
            if changed {
                blocks[blockIndex].type = majorityType(blocks[blockIndex])
                isRelabelled = true
            }
        }
        return isRelabelled
    }

    /// Takes type and description of a known series that came under another hash. True when its former slots are out of
    /// date.
    private func relabel(
        _ series: Int, _ blockIndex: Int, _ newEntry: NewSeries.NewSeriesEntry, _ message: RawSpan,
        _ changed: inout Bool
    ) -> Bool {
        var isOutdated = false
        if types[series] != newEntry.type.rawValue {
            types[series] = newEntry.type.rawValue
            changed = true
            isOutdated = true
        }
        if let description = description(message, newEntry.description), description != blocks[blockIndex].description {
            blocks[blockIndex].description = description
            changed = true
            isOutdated = true
        }
        return isOutdated
    }

    /// The kept part of a description: valid UTF-8, not longer than the limit; nil without one.
    private func description(_ message: RawSpan, _ range: Range<Int>) -> [UInt8]? {
        let bytes = message.extracting(range)
        guard bytes.byteCount > 0, bytes.isUTF8 else { return nil }
        var count = min(bytes.byteCount, limits.maxDescriptionBytes)
        // Not in the middle of a character.
        while count > 0, count < bytes.byteCount, bytes.byte(uncheckedAt: count) & 0xc0 == 0x80 { count -= 1 }
        return bytes.array(0..<count)
    }

    /// The type that most series of the block have, of equals the smaller number. Series without a type have no say
    /// when others have.
    private func majorityType(_ block: SeriesBlock) -> MetricType {
        var votes = [Int](repeating: 0, count: MetricType.allCases.count)
        for series in block.first..<(block.first + block.count) { votes[Int(types[series])] += 1 }
        var best = MetricType.unspecified
        for type in MetricType.allCases where type != .unspecified && votes[Int(type.rawValue)] > 0 {
            if best == .unspecified || votes[Int(type.rawValue)] > votes[Int(best.rawValue)] { best = type }
        }
        return best
    }

    // MARK: Growing

    /// Builds the table with the new series at `unknown` (sorted by name and text, no text twice, none in the table).
    /// Returns nil, and leaves everything as it is, when the table would be too large.
    private func grow(
        _ newSeries: inout NewSeries, _ unknown: [Int], _ message: RawSpan, pruning: Bool
    ) -> [Int?]? {
        // In this answer: by a known hash, or by one that was found to mean a known series.
        var isPresent = column.map { $0 != SampleBits.stale }
        for series in newSeries.list.compactMap(\.series) { isPresent[series] = true }
        let present = isPresent.count { $0 }
        let absent = seriesCount - present
        let isFull =
            seriesCount + unknown.count > limits.maxSeriesPerAgent
            || blocks.count + newNameCount(unknown, newSeries.list) > limits.maxNamesPerAgent
        let prunes = pruning && absent > 0 && (isFull || (absent > present && absent >= Self.minPrunedSeries))
        let room = limits.maxSeriesPerAgent - (prunes ? present : seriesCount)
        let admitted = withRoomForNames(
            unknown.prefix(max(0, room)), newSeries.list, keeping: prunes ? isPresent : nil)
        guard !admitted.isEmpty else { return nil }
        let merged = merge(newSeries.list, admitted, message, keeping: prunes ? isPresent : nil)
        guard merged.reduce(0, { $0 + $1.block.coded.count }) <= limits.maxTableBytes else { return nil }

        var map = [Int?](repeating: nil, count: seriesCount)
        var newTypes: [UInt8] = []
        var newColumn: [UInt64] = []
        var newBlocks: [SeriesBlock] = []
        for var entry in merged {
            entry.block.first = newTypes.count
            entry.block.count = entry.sources.count
            for source in entry.sources {
                switch source {
                case .old(let series):
                    map[series] = newTypes.count
                    newTypes.append(types[series])
                    newColumn.append(column[series])
                case .newEntry(let index):
                    newSeries.list[index].series = newTypes.count
                    newTypes.append(newSeries.list[index].type.rawValue)
                    newColumn.append(SampleBits.stale)
                }
            }
            newBlocks.append(entry.block)
        }
        types = newTypes
        column = newColumn
        blocks = newBlocks
        seriesCount = newTypes.count
        for index in blocks.indices { blocks[index].type = majorityType(blocks[index]) }
        // New series that were resolved to an old series move with it.
        let isNew = Set(admitted)
        for index in newSeries.list.indices where !isNew.contains(index) {
            newSeries.list[index].series = newSeries.list[index].series.flatMap { map[$0] }
        }
        slots.remap { map[Int($0)].map(UInt32.init) }
        return map
    }

    /// The blocks of the new table, in order of their names. `kept` says which old series stay; nil: all.
    private func merge(
        _ list: [NewSeries.NewSeriesEntry], _ admitted: ArraySlice<Int>, _ message: RawSpan, keeping kept: [Bool]?
    ) -> [MergedBlock] {
        var result: [MergedBlock] = []
        var rest = admitted
        for old in blocks {
            while let next = rest.first, Self.compareName(list[next], old.name) < 0 {
                result.append(merge(nil, list, Self.takeName(&rest, list), message, keeping: kept))
            }
            var own: [Int] = []
            if let next = rest.first, Self.compareName(list[next], old.name) == 0 { own = Self.takeName(&rest, list) }
            let merged = merge(old, list, own, message, keeping: kept)
            if !merged.sources.isEmpty { result.append(merged) }
        }
        while !rest.isEmpty { result.append(merge(nil, list, Self.takeName(&rest, list), message, keeping: kept)) }
        return result
    }

    private func merge(
        _ old: SeriesBlock?, _ list: [NewSeries.NewSeriesEntry], _ own: [Int], _ message: RawSpan, keeping kept: [Bool]?
    ) -> MergedBlock {
        var sources: [MergedBlock.Source] = []
        if let old, own.isEmpty, kept?[old.first..<(old.first + old.count)].allSatisfy({ $0 }) ?? true {
            for series in old.first..<(old.first + old.count) { sources.append(.old(series)) }
            return MergedBlock(block: old, sources: sources)
        }
        var encoder = FrontCoding.Encoder()
        var rest = own[...]
        func takeNewSeries(before text: [UInt8]?) {
            while let next = rest.first {
                if let text, ByteOrder.compare(list[next].text, text) > 0 { return }
                encoder.append(list[next].text)
                sources.append(.newEntry(next))
                rest.removeFirst()
            }
        }
        if let old {
            var decoder = FrontCoding.Decoder(from: 0, to: old.coded.count)
            var series = old.first
            while decoder.next(old.coded.span.bytes) {
                takeNewSeries(before: decoder.text)
                if kept?[series] ?? true {
                    encoder.append(decoder.text)
                    sources.append(.old(series))
                }
                series += 1
            }
        }
        takeNewSeries(before: nil)
        var block = old ?? SeriesBlock(name: own.first.map { Array(list[$0].text[..<list[$0].nameBytes]) } ?? [])
        for index in own {
            if let description = description(message, list[index].description) { block.description = description }
        }
        block.coded = encoder.coded
        block.longestTextBytes = encoder.longestTextBytes
        return MergedBlock(block: block, sources: sources)
    }

    // MARK: Slots

    /// Enters the new series' hashes, after the out-of-date ones of relearned series are gone.
    private func giveSlots(_ newSeries: NewSeries, _ relearned: Set<Int>) {
        if !relearned.isEmpty { slots.remap { relearned.contains(Int($0)) ? nil : $0 } }
        slots.reserve(seriesCount)
        let most = seriesCount + limits.maxAliases
        for newEntry in newSeries.list {
            guard let hash = newEntry.hash, let series = newEntry.series, slots.count < most else { continue }
            slots.insert(hash, description: newEntry.descriptionCheck, series: series)
        }
    }
}
