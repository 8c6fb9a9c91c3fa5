// SPDX-License-Identifier: Apache-2.0

/// An agent's table as the exporter holds it: the front-coded texts, block by block.
///
/// A ring is input: every length in the payload is checked here once, so that rendering can walk over the entries
/// without asking again.
public final class SeriesTable: Sendable {
    /// No text is longer than this, whatever the payload says: the rendering buffers are made for it.
    static let maxTextBytes = 128 << 10
    /// Readable bytes behind the texts, for copies in whole blocks.
    static let slackBytes = 64

    /// The series of one name. Small and without references: an answer looks at one of each agent after the other, and each
    /// is a miss in the cache.
    struct Block: BitwiseCopyable, Sendable {
        /// Where the name begins; description and entries follow it.
        private let start: UInt32
        private let nameBytes: UInt16
        private let descriptionBytes: UInt16
        private let codedBytes: UInt32
        private let firstSeries: UInt32
        private let seriesCount: UInt32
        private let longest: UInt32
        let type: MetricType

        /// All that is given lies in the payload of a record, which has less than 4 GiB.
        init(
            start: Int, nameBytes: UInt16, descriptionBytes: UInt16, codedBytes: UInt32, type: MetricType, first: Int,
            count: UInt32, longestTextBytes: Int
        ) {
            self.start = UInt32(start)
            self.nameBytes = nameBytes
            self.descriptionBytes = descriptionBytes
            self.codedBytes = codedBytes
            self.type = type
            firstSeries = UInt32(first)
            seriesCount = count
            longest = UInt32(longestTextBytes)
        }

        private var descriptionStart: Int { Int(start) &+ Int(nameBytes) }
        private var codedStart: Int { descriptionStart &+ Int(descriptionBytes) }

        var name: Range<Int> { Int(start)..<descriptionStart }
        var description: Range<Int> { descriptionStart..<codedStart }
        /// The entries.
        var coded: Range<Int> { codedStart..<(codedStart &+ Int(codedBytes)) }
        var first: Int { Int(firstSeries) }
        var count: Int { Int(seriesCount) }
        var longestTextBytes: Int { Int(longest) }
    }

    /// Series of a block whose `le` or `quantile` is not a number.
    struct OddBounds: Sendable {
        var buckets: [Int] = []
        var quantiles: [Int] = []
    }

    public let number: UInt32
    public let seriesCount: Int
    let blocks: [Block]
    /// By the place of their block; nearly always empty.
    let oddBounds: [Int: OddBounds]
    let podNames: DistinctValues
    let nodeRoles: DistinctValues
    /// The payload, and `slackBytes` zeros.
    let bytes: [UInt8]

    public var memoryBytes: Int { bytes.count + blocks.count * MemoryLayout<Block>.stride + 128 }

    /// The table's number without reading the rest; nil when it is no `series` record of ours.
    public static func number(of payload: RawSpan) -> UInt32? {
        guard payload.integer(at: 0, as: UInt32.self) == MetricsRecordLayout.seriesMagic else { return nil }
        return payload.integer(at: 4, as: UInt32.self)
    }

    /// nil when the payload does not fit its own lengths, or holds what is no text of a series.
    public init?(payload: RawSpan) {
        guard let number = Self.number(of: payload),
            let seriesCount = payload.integer(at: 8, as: UInt32.self),
            let blockCount = payload.integer(at: 12, as: UInt32.self),
            // Each block has a head, so a count that cannot be true reserves nothing.
            Int(blockCount) <= payload.byteCount / MetricsRecordLayout.blockHeaderBytes,
            payload.byteCount <= UInt32.max
        else { return nil }
        var place = MetricsRecordLayout.seriesHeaderBytes
        guard let podNames = DistinctValues(payload, at: &place), let nodeRoles = DistinctValues(payload, at: &place)
        else {
            return nil
        }
        var blocks: [Block] = []
        var oddBounds: [Int: OddBounds] = [:]
        var check = SeriesTextCheck(podNames: podNames, nodeRoles: nodeRoles)
        blocks.reserveCapacity(Int(blockCount))
        var first = 0
        for _ in 0..<blockCount {
            var odd = OddBounds()
            guard let block = Self.block(payload, at: &place, first: first), Self.isText(payload, block, &odd, &check)
            else {
                return nil
            }
            if !odd.buckets.isEmpty || !odd.quantiles.isEmpty { oddBounds[blocks.count] = odd }
            if let previous = blocks.last {
                let order = ByteOrder.compare(payload.extracting(previous.name), payload.extracting(block.name))
                guard order < 0 else { return nil }
            }
            first += block.count
            guard first <= UInt32.max else { return nil }
            blocks.append(block)
        }
        guard place == payload.byteCount, first == Int(seriesCount) else { return nil }
        self.number = number
        self.seriesCount = Int(seriesCount)
        self.blocks = blocks
        self.oddBounds = oddBounds
        self.podNames = podNames
        self.nodeRoles = nodeRoles
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.byteCount + Self.slackBytes)
        bytes.append(copying: payload)
        for _ in 0..<Self.slackBytes { bytes.append(0) }
        self.bytes = bytes
    }

    private static func block(_ payload: RawSpan, at place: inout Int, first: Int) -> Block? {
        guard payload.byteCount - place >= MetricsRecordLayout.blockHeaderBytes,
            let nameBytes = payload.integer(at: place, as: UInt16.self),
            let descriptionBytes = payload.integer(at: place + 2, as: UInt16.self),
            let typeNumber = payload.integer(at: place + 4, as: UInt32.self),
            let type = UInt8(exactly: typeNumber).flatMap(MetricType.init(rawValue:)),
            let count = payload.integer(at: place + 8, as: UInt32.self),
            let codedBytes = payload.integer(at: place + 12, as: UInt32.self)
        else { return nil }
        let nameStart = place + MetricsRecordLayout.blockHeaderBytes
        let descriptionStart = nameStart + Int(nameBytes)
        let codedStart = descriptionStart + Int(descriptionBytes)
        let end = codedStart + Int(codedBytes)
        guard end <= payload.byteCount, nameBytes > 0 else { return nil }
        let name = nameStart..<descriptionStart
        guard let longest = longestText(payload, codedStart..<end, count: Int(count), name: name) else { return nil }
        place = end
        return Block(
            start: nameStart, nameBytes: nameBytes, descriptionBytes: descriptionBytes, codedBytes: codedBytes,
            type: type,
            first: first, count: count, longestTextBytes: longest)
    }

    /// Whether a block's texts are what the exposition takes, each once. Notes what is odd in them.
    private static func isText(
        _ payload: RawSpan, _ block: Block, _ odd: inout OddBounds, _ check: inout SeriesTextCheck
    ) -> Bool {
        let name = payload.extracting(block.name)
        guard NameRules.isMetricName(name), !NameRules.isReserved(name),
            payload.extracting(block.description).isUTF8
        else { return false }
        var decoder = FrontCoding.Decoder(from: block.coded.lowerBound, to: block.coded.upperBound)
        var series = block.first
        while decoder.next(payload) {
            let text = decoder.text.span.bytes
            guard text.byteCount > block.name.count,
                ByteOrder.areEqual(text.extracting(0..<block.name.count), name),
                check.accepts(text.extracting(block.name.count..<text.byteCount), isFirst: series == block.first)
            else { return false }
            if check.hasOddBucket { odd.buckets.append(series) }
            if check.hasOddQuantile { odd.quantiles.append(series) }
            series += 1
        }
        return true
    }

    /// Walks over a block's entries; nil when they are not `count` whole ones or share more than there is.
    private static func longestText(_ payload: RawSpan, _ coded: Range<Int>, count: Int, name: Range<Int>) -> Int? {
        var place = coded.lowerBound
        var length = 0
        var longest = 0
        var isFirst = true
        for _ in 0..<count {
            guard let head = FrontCoding.Head(payload, at: place, end: coded.upperBound) else { return nil }
            guard head.prefix <= length, head.suffix <= length - head.prefix else { return nil }
            place += head.headBytes
            if isFirst {
                // Each text begins with the name, because the first does and the others share at least that much or
                // bring it along.
                guard head.middle >= name.count,
                    ByteOrder.areEqual(
                        payload.extracting(place..<(place + name.count)), payload.extracting(name))
                else { return nil }
                isFirst = false
            }
            length = head.prefix + head.middle + head.suffix
            guard length <= maxTextBytes, length > name.count else { return nil }
            longest = max(longest, length)
            place += head.middle
        }
        return place == coded.upperBound ? longest : nil
    }
}
