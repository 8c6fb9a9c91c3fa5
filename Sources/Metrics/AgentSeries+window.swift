// SPDX-License-Identifier: Apache-2.0

extension AgentSeries {
    /// State that the walk over a window answer collects.
    private struct WindowPass {
        /// In `columns.series`: not a series but a new series' index.
        static let newSeriesFlag: UInt32 = 1 << 31

        var columns = WindowColumns()
        var newSeries: NewSeries
        var clock = SampleClock()
        var timeIndexes = TimeIndexes()
        var drops = DropCounts()
    }

    /// Takes a window answer: many points a series. It may add series to the table; the column of the latest values
    /// stays as it is.
    ///
    /// When it throws, nothing of the message is kept.
    public func decodeWindow(
        _ message: RawSpan, receivedAtNanoseconds: Int64
    ) throws(DecodeError) -> WindowColumns {
        var pass = WindowPass(newSeries: NewSeries(limits: limits, enrichment: enrichment))
        let timestamp =
            usesAES
            ? try walkWindow(message, hasher: AESHasher(key: key), &pass)
            : try walkWindow(message, hasher: MultiplyHasher(key: key), &pass)
        var map: [Int?]?
        if !pass.newSeries.isEmpty {
            map = enter(&pass.newSeries, message, pruning: false)
            if let map, !times.isEmpty {
                var moved = [SampleTime](repeating: commonTime, count: seriesCount)
                for (old, new) in map.enumerated() {
                    if let new { moved[new] = times[old] }
                }
                times = moved
            }
            settle(&pass, map)
        }
        let fallback = timestamp?.time ?? SampleTime(nanosecondsSinceEpoch: receivedAtNanoseconds)
        for index in pass.columns.times.indices where pass.columns.times[index] == .unset {
            pass.columns.times[index] = fallback
        }
        pass.columns.tableNumber = tableNumber
        pass.columns.receivedAtNanoseconds = receivedAtNanoseconds
        pass.columns.summary.drops = pass.drops
        pass.columns.summary.samplesAccepted = pass.columns.pointCount
        pass.columns.summary.isTableChanged = map != nil || isTableNew
        isTableNew = false
        learnWireBytes(message: message, samples: pass.columns.summary.samplesReceived)
        return pass.columns
    }

    private func walkWindow<H: EntryHasher>(
        _ message: RawSpan, hasher: H, _ pass: inout WindowPass
    ) throws(DecodeError) -> TimestampFields? {
        slots.touch()
        let expected = Int(Double(message.byteCount) / max(averageWireBytesPerSample, 16)) + 16
        pass.columns.series.reserveCapacity(expected)
        pass.columns.timeIndexes.reserveCapacity(expected)
        pass.columns.valueBits.reserveCapacity(expected)
        var segment = MessageSegment(message, entryLimit: limits.maxEntriesPerMessage)
        try walkWindow(message, &segment, whole: message, hasher: hasher, &pass)
        if segment.place < segment.byteCount {
            let rest = MessageSegment.padded(message, from: segment.place)
            segment = MessageSegment(restOf: segment)
            try walkWindow(rest.span.bytes, &segment, whole: message, hasher: hasher, &pass)
        }
        return segment.timestamp
    }

    private func walkWindow<H: EntryHasher>(
        _ message: RawSpan, _ segment: inout MessageSegment, whole: RawSpan, hasher: H, _ pass: inout WindowPass
    ) throws(DecodeError) {
        let key = self.key
        let slotArray = slots.slots
        let slots = slotArray.span
        var clock = pass.clock
        var timeIndex = UInt32.max
        var indexedTime: SampleTime?
        defer { pass.clock = clock }
        while case .metric(let start, let end) = try segment.next(message) {
            pass.columns.summary.samplesReceived &+= 1
            let metric = MessageWalk.metric(message, from: start, to: end, hasher: hasher, key: key)
            var series = metric.isUnusual ? SlotTable.Slot.empty : SlotTable.find(metric.hash, in: slots).series
            var bits = metric.valueBits
            var time: SampleTime
            if series == SlotTable.Slot.empty {
                var fields: MetricFields?
                let range = (segment.base &+ start)..<(segment.base &+ end)
                let hash = metric.isUnusual ? nil : metric.hash
                let description = metric.descriptionCheck(message, hasher, key)
                switch try pass.newSeries.take(
                    whole, range, hash: hash, descriptionCheck: description, fields: &fields)
                {
                case .dropped(let cause):
                    if fields == nil { try metric.checkTime(in: whole, base: segment.base) }
                    pass.drops[cause] += 1
                    if pass.columns.summary.firstDropped == nil {
                        pass.columns.summary.firstDropped = try DroppedSample(cause, whole, range, fields)
                    }
                    continue
                case .added(let index), .known(let index): series = WindowPass.newSeriesFlag | UInt32(index)
                }
                // An unusual metric has been parsed; what the walk saw of it does not count.
                if metric.isUnusual, let fields {
                    bits = fields.valueBits
                    time = fields.timestamp?.time ?? .unset
                } else {
                    if !clock.isSame(metric, message, hasher) {
                        try clock.read(metric, message, hasher, base: segment.base)
                    }
                    time = clock.time
                }
            } else {
                if !clock.isSame(metric, message, hasher) {
                    try clock.read(metric, message, hasher, base: segment.base)
                }
                time = clock.time
            }
            if time != indexedTime {
                guard
                    let index = pass.timeIndexes.index(
                        of: time, in: &pass.columns.times, limit: limits.maxDistinctTimes)
                else {
                    pass.drops[.tooManyTimes] += 1
                    continue
                }
                timeIndex = index
                indexedTime = time
            }
            pass.columns.series.append(series)
            pass.columns.timeIndexes.append(timeIndex)
            pass.columns.valueBits.append(SampleBits.received(bits))
        }
    }

    /// Gives the points the places that their series have in the new table; those for which there was no room are left
    /// out.
    private func settle(_ pass: inout WindowPass, _ map: [Int?]?) {
        var kept = 0
        for point in pass.columns.series.indices {
            let series = pass.columns.series[point]
            var place: Int?
            if series & WindowPass.newSeriesFlag != 0 {
                place = pass.newSeries.list[Int(series & ~WindowPass.newSeriesFlag)].series
            } else {
                place = map.map { $0[Int(series)] } ?? Int(series)
            }
            guard let place else {
                pass.drops[.seriesLimit] += 1
                continue
            }
            pass.columns.series[kept] = UInt32(place)
            pass.columns.timeIndexes[kept] = pass.columns.timeIndexes[point]
            pass.columns.valueBits[kept] = pass.columns.valueBits[point]
            kept += 1
        }
        pass.columns.series.removeLast(pass.columns.series.count - kept)
        pass.columns.timeIndexes.removeLast(pass.columns.timeIndexes.count - kept)
        pass.columns.valueBits.removeLast(pass.columns.valueBits.count - kept)
    }
}
