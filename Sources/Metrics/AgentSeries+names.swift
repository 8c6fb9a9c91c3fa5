// SPDX-License-Identifier: Apache-2.0

// How many names a table may have: what a name costs the exporter, each time that any agent's table is another, does not
// depend on how many series it has.
extension AgentSeries {
    /// How many of these sorted new series have a name that the table does not have.
    func newNameCount(_ sorted: [Int], _ list: [NewSeries.NewSeriesEntry]) -> Int {
        // Not worth a look as long as each may have one.
        guard blocks.count + sorted.count > limits.maxNamesPerAgent else { return 0 }
        var count = 0
        forEachName(sorted[...], list) { _, block in if block == nil { count += 1 } }
        return count
    }

    /// Those of these sorted new series that are in the table by name, or for whose names there is room.
    ///
    /// - Parameter kept: says which old series stay; nil: all.
    func withRoomForNames(
        _ sorted: ArraySlice<Int>, _ list: [NewSeries.NewSeriesEntry], keeping kept: [Bool]?
    ) -> ArraySlice<Int> {
        guard blocks.count + sorted.count > limits.maxNamesPerAgent else { return sorted }
        var room = limits.maxNamesPerAgent - blocks.count
        if let kept {
            func goes(_ block: SeriesBlock) -> Bool { !kept[block.first..<(block.first + block.count)].contains(true) }
            room += blocks.count(where: goes)
            // A name that would go stays with a new series that bears it. Before any room is given away: a new name may
            // stand before it.
            forEachName(sorted, list) { _, block in if let block, goes(blocks[block]) { room -= 1 } }
        }
        var admitted: [Int] = []
        forEachName(sorted, list) { range, block in
            if block == nil {
                guard room > 0 else { return }
                room -= 1
            }
            admitted += sorted[range]
        }
        return admitted[...]
    }

    /// - Parameter body: given the new series of a name, and the block that the table has of it.
    private func forEachName(
        _ sorted: ArraySlice<Int>, _ list: [NewSeries.NewSeriesEntry],
        _ body: (_ range: Range<Int>, _ block: Int?) -> Void
    ) {
        var start = sorted.startIndex
        while start < sorted.endIndex {
            let first = list[sorted[start]]
            let name = Array(first.text[..<first.nameBytes])
            var end = start + 1
            while end < sorted.endIndex, Self.compareName(list[sorted[end]], name) == 0 { end += 1 }
            body(start..<end, blockIndex(of: name))
            start = end
        }
    }

    /// Of a sorted new series' name and another.
    static func compareName(_ newEntry: NewSeries.NewSeriesEntry, _ name: [UInt8]) -> Int {
        ByteOrder.compare(newEntry.text.span.bytes.extracting(0..<newEntry.nameBytes), name.span.bytes)
    }

    /// Takes the new series off `rest` that have the name of its first.
    static func takeName(_ rest: inout ArraySlice<Int>, _ list: [NewSeries.NewSeriesEntry]) -> [Int] {
        guard let first = rest.first else { return [] }
        let name = Array(list[first].text[..<list[first].nameBytes])
        var taken: [Int] = []
        while let next = rest.first, compareName(list[next], name) == 0 {
            taken.append(next)
            rest.removeFirst()
        }
        return taken
    }

    func blockIndex(of name: [UInt8]) -> Int? {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            let comparison = ByteOrder.compare(blocks[middle].name, name)
            if comparison == 0 { return middle }
            if comparison < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
