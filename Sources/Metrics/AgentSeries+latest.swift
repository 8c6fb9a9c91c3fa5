// SPDX-License-Identifier: Apache-2.0

extension AgentSeries {
    /// State that the walk collects besides the column.
    struct LatestPass {
        var summary = DecodeSummary()
        var newSeries: NewSeries
        var clock = SampleClock()
        /// nil before the first sample.
        var commonTime: SampleTime?
        /// Empty as long as all samples share `commonTime`.
        var times: [SampleTime] = []
    }

    /// Takes an answer with the latest values: fills the column, and adds to the table what it does not have yet.
    ///
    /// When it throws, nothing of the message is kept and the column is empty.
    public func decodeLatest(
        _ message: RawSpan, receivedAtNanoseconds: Int64
    ) throws(DecodeError) -> DecodeSummary {
        forgetSample()
        var pass = LatestPass(newSeries: NewSeries(limits: limits, enrichment: enrichment))
        let timestamp: TimestampFields?
        do throws(DecodeError) {
            timestamp =
                usesAES
                ? try walkLatest(message, hasher: AESHasher(key: key), &pass)
                : try walkLatest(message, hasher: MultiplyHasher(key: key), &pass)
        } catch {
            forgetSample()
            throw error
        }
        if !pass.newSeries.isEmpty { takeNewSeries(message, &pass) }
        noteDescriptionsChecked()
        self.receivedAtNanoseconds = receivedAtNanoseconds
        let fallback = timestamp?.time ?? SampleTime(nanosecondsSinceEpoch: receivedAtNanoseconds)
        commonTime = pass.commonTime.flatMap { $0 == .unset ? nil : $0 } ?? fallback
        times = pass.times
        for index in times.indices where times[index] == .unset { times[index] = fallback }
        pass.summary.isTableChanged = pass.summary.isTableChanged || isTableNew
        isTableNew = false
        learnWireBytes(message: message, samples: pass.summary.samplesReceived)
        return pass.summary
    }

    /// Returns the message's own timestamp.
    private func walkLatest<H: EntryHasher>(
        _ message: RawSpan, hasher: H, _ pass: inout LatestPass
    ) throws(DecodeError) -> TimestampFields? {
        slots.touch()
        var segment = MessageSegment(message, entryLimit: limits.maxEntriesPerMessage)
        try walkLatest(message, &segment, whole: message, hasher: hasher, &pass)
        if segment.place < segment.byteCount {
            let rest = MessageSegment.padded(message, from: segment.place)
            segment = MessageSegment(restOf: segment)
            try walkLatest(rest.span.bytes, &segment, whole: message, hasher: hasher, &pass)
        }
        return segment.timestamp
    }

    private func walkLatest<H: EntryHasher>(
        _ message: RawSpan, _ segment: inout MessageSegment, whole: RawSpan, hasher: H, _ pass: inout LatestPass
    ) throws(DecodeError) {
        let key = self.key
        let slotArray = slots.slots
        let slots = slotArray.span
        let checksDescriptions = isDescriptionCheckDue
        var column = self.column.mutableSpan
        var received = 0
        var accepted = 0
        var duplicates = 0
        // In locals, because what is reached through `inout` or `self` is loaded and stored again at each step.
        var clock = pass.clock
        defer {
            pass.clock = clock
            pass.summary.samplesReceived += received
            pass.summary.samplesAccepted += accepted
            pass.summary.drops[.duplicateSeries] += duplicates
        }
        while case .metric(let start, let end) = try segment.next(message) {
            received &+= 1
            let metric = MessageWalk.metric(message, from: start, to: end, hasher: hasher, key: key)
            let slot = metric.isUnusual ? .none : SlotTable.find(metric.hash, in: slots)
            if slot.series == SlotTable.Slot.empty
                || (checksDescriptions && slot.description != metric.descriptionCheck(message, hasher, key))
            {
                let range = (segment.base &+ start)..<(segment.base &+ end)
                let description = metric.descriptionCheck(message, hasher, key)
                accepted &+= try takeUnknown(whole, range, metric, description, base: segment.base, &pass)
                continue
            }
            let series = Int(truncatingIfNeeded: slot.series)
            let bits = SampleBits.received(metric.valueBits)
            if !clock.isSame(metric, message, hasher) { try clock.read(metric, message, hasher, base: segment.base) }
            // A slot's series is below the column's count: both change only together, in `rebuild`.
            if column[unchecked: series] == SampleBits.stale {
                accepted &+= 1
            } else {
                duplicates &+= 1
                if !SampleBits.isLarger(bits, than: column[unchecked: series]) { continue }
            }
            column[unchecked: series] = bits
            if clock.time != pass.commonTime || !pass.times.isEmpty {
                pass.setTime(clock.time, series: series, seriesCount: column.count)
            }
        }
    }

    /// Returns how many samples were accepted by it: 1 for a new series, if there will be room for it.
    @inline(never)
    private func takeUnknown(
        _ message: RawSpan, _ range: Range<Int>, _ metric: MessageWalk.Metric, _ descriptionCheck: UInt16, base: Int,
        _ pass: inout LatestPass
    ) throws(DecodeError) -> Int {
        var fields: MetricFields?
        let outcome = try pass.newSeries.take(
            message, range, hash: metric.isUnusual ? nil : metric.hash, descriptionCheck: descriptionCheck,
            fields: &fields)
        if fields == nil { try metric.checkTime(in: message, base: base) }
        switch outcome {
        case .added: return 1
        case .dropped(let cause):
            pass.summary.drops[cause] += 1
            if pass.summary.firstDropped == nil {
                pass.summary.firstDropped = try DroppedSample(cause, message, range, fields)
            }
        case .known(let index):
            pass.summary.drops[.duplicateSeries] += 1
            let bits = SampleBits.received(metric.valueBits)
            if SampleBits.isLarger(bits, than: pass.newSeries.list[index].valueBits) {
                pass.newSeries.list[index].valueBits = bits
                pass.newSeries.list[index].time = try MetricFields(message, range).timestamp?.time ?? .unset
            }
        }
        return 0
    }

    /// Enters the new series into the table and their values into the column.
    private func takeNewSeries(_ message: RawSpan, _ pass: inout LatestPass) {
        let map = enter(&pass.newSeries, message, pruning: true)
        if let map {
            pass.summary.isTableChanged = true
            if !pass.times.isEmpty {
                var moved = [SampleTime](repeating: .unset, count: seriesCount)
                for (old, new) in map.enumerated() {
                    if let new { moved[new] = pass.times[old] }
                }
                pass.times = moved
            }
        }
        for newEntry in pass.newSeries.list {
            guard let series = newEntry.series else {
                pass.summary.samplesAccepted -= 1
                pass.summary.drops[.seriesLimit] += 1
                if pass.summary.firstDropped == nil { pass.summary.firstDropped = newEntry.dropped(.seriesLimit) }
                continue
            }
            if column[series] != SampleBits.stale {
                pass.summary.samplesAccepted -= 1
                pass.summary.drops[.duplicateSeries] += 1
                if !SampleBits.isLarger(newEntry.valueBits, than: column[series]) { continue }
            }
            column[series] = newEntry.valueBits
            if newEntry.time != pass.commonTime || !pass.times.isEmpty {
                pass.setTime(newEntry.time, series: series, seriesCount: seriesCount)
            }
        }
    }
}

extension AgentSeries.LatestPass {
    /// The sample of `series` has a time that is not the common one, or is the first of all.
    mutating func setTime(_ time: SampleTime, series: Int, seriesCount: Int) {
        guard let common = commonTime else {
            commonTime = time
            return
        }
        if times.isEmpty {
            if time == common { return }
            times = [SampleTime](repeating: common, count: seriesCount)
        }
        times[series] = time
    }
}
