// SPDX-License-Identifier: Apache-2.0

extension SeriesTable {
    /// The sum of a sample's values of all series of a name; `nil` when no series has the name and a finite value.
    public func sum(named name: [UInt8], in sample: Sample) -> Double? {
        guard sample.tableNumber == number, let block = block(named: name) else { return nil }
        var sum: Double?
        for series in block.first..<(block.first + block.count) {
            let value = Double(bitPattern: sample.bits[series])
            if value.isFinite { sum = (sum ?? 0) + value }
        }
        return sum
    }

    /// The same by the values of a label, without those that lack it.
    /// - Parameter maximumCount: values of the label that are taken at most, the first ones of the table.
    public func sums(
        named name: [UInt8], by label: [UInt8], atMost maximumCount: Int, in sample: Sample
    ) -> [[UInt8]: Double] {
        guard sample.tableNumber == number, let block = block(named: name) else { return [:] }
        let bytes = self.bytes
        var sums: [[UInt8]: Double] = [:]
        var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
        var series = block.first
        while series < block.first + block.count, decoder.next(bytes.span.bytes) {
            defer { series += 1 }
            let value = Double(bitPattern: sample.bits[series])
            guard value.isFinite else { continue }
            let key = SeriesLabels.value(of: label, in: decoder.text.span.bytes, nameBytes: name.count)
            guard !key.isEmpty, sums[key] != nil || sums.count < maximumCount else { continue }
            sums[key, default: 0] += value
        }
        return sums
    }

    /// The block of a name: they are in the order of their names.
    private func block(named name: [UInt8]) -> Block? {
        let bytes = self.bytes
        var (low, high) = (0, blocks.count)
        while low < high {
            let middle = (low + high) / 2
            let order = ByteOrder.compare(bytes.span.bytes.extracting(blocks[middle].name), name.span.bytes)
            if order == 0 { return blocks[middle] }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }
}
