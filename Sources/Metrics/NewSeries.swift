// SPDX-License-Identifier: Apache-2.0

/// Metrics of one message whose hash is not in the table: parsed with care and given their text, to be entered when the
/// whole message has turned out to be good.
struct NewSeries {
    struct NewSeriesEntry {
        var text: [UInt8]
        var nameBytes: Int
        var type: MetricType
        /// Place in the message.
        var description: Range<Int>
        /// nil: must not get a slot, because the hash does not describe it.
        var hash: SIMD2<UInt64>?
        /// Of its description.
        var descriptionCheck: UInt16
        var valueBits: UInt64
        var time: SampleTime
        /// Where it went; nil when there was no room for it.
        var series: Int?

        func dropped(_ cause: DropCause) -> DroppedSample {
            DroppedSample(cause, name: text.span.bytes.extracting(0..<nameBytes))
        }
    }

    /// The outcome for a metric.
    enum Outcome {
        case added(Int)
        /// The same hash came before in this message.
        case known(Int)
        case dropped(DropCause)
    }

    private enum Memory {
        case newEntry(Int)
        case dropped(DropCause)
    }

    private(set) var maker: SeriesTextMaker
    var list: [NewSeriesEntry] = []
    private var byHash: [SIMD2<UInt64>: Memory] = [:]
    private var textBytes = 0

    init(limits: SeriesLimits, enrichment: Enrichment) {
        maker = SeriesTextMaker(limits: limits, enrichment: enrichment)
    }

    var isEmpty: Bool { list.isEmpty }

    /// `range` is the metric's body. A metric that the walk found unusual has no hash. `fields` is set when the metric
    /// was parsed.
    mutating func take(
        _ message: RawSpan, _ range: Range<Int>, hash: SIMD2<UInt64>?, descriptionCheck: UInt16,
        fields parsed: inout MetricFields?
    ) throws(DecodeError) -> Outcome {
        if let hash, let memory = byHash[hash] {
            switch memory {
            case .newEntry(let index): return .known(index)
            case .dropped(let cause): return .dropped(cause)
            }
        }
        let fields = try MetricFields(message, range)
        parsed = fields
        guard list.count < maker.limits.maxSeriesPerAgent, textBytes < maker.limits.maxNewTextBytesPerMessage else {
            return .dropped(.seriesLimit)
        }
        switch maker.make(message, fields) {
        case .dropped(let cause):
            // As bounded as the new series.
            if let hash, byHash.count < maker.limits.maxSeriesPerAgent { byHash[hash] = .dropped(cause) }
            return .dropped(cause)
        case .text(let text, let dependsOnOrder):
            let hash = dependsOnOrder ? nil : hash
            textBytes += text.count
            list.append(
                NewSeriesEntry(
                    text: text, nameBytes: fields.name.count, type: fields.type, description: fields.description,
                    hash: hash, descriptionCheck: descriptionCheck,
                    valueBits: SampleBits.received(fields.valueBits), time: fields.timestamp?.time ?? .unset))
            if let hash { byHash[hash] = .newEntry(list.count - 1) }
            return .added(list.count - 1)
        }
    }
}

extension DroppedSample {
    /// - Parameter fields: of the metric, if it has been parsed.
    init(
        _ cause: DropCause, _ message: RawSpan, _ range: Range<Int>, _ fields: MetricFields?
    ) throws(DecodeError) {
        let name: Range<Int>
        if let fields { name = fields.name } else { name = try MetricFields(message, range).name }
        self.init(cause, name: message.extracting(name))
    }
}
