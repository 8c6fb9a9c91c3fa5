// SPDX-License-Identifier: Apache-2.0
import Metrics
import Platform
import RingMessages
import Rings

/// The view that one data ring gives of one agent: its slot, and the records that are current.
final class RingAgent {
    let slot: SlotRef
    var entry: AgentEntry
    private(set) var identity: IdentityRecord?
    /// By number, the newest last; from that of the sample on.
    private var tables: [SeriesTable] = []
    private(set) var sample: Sample?
    private(set) var table: SeriesTable?
    /// Whether this process saw the sample come, or since when it has known one that was there already.
    private(set) var sampleOrigin = SampleSource.found(atNanoseconds: 0)
    /// When ingest received the sample, `CLOCK_MONOTONIC`, as far as this process could tell when it read it. From then on
    /// the wall clock may be set as it likes. Below zero: before the machine was started.
    private(set) var sampleReceivedAtMonotonicNanoseconds: Int64 = 0
    /// When the sample came.
    var sampleArrival: ReceiveTime? {
        sample.map { ReceiveTime(origin: sampleOrigin, wallNanoseconds: $0.receivedAtNanoseconds) }
    }
    /// When the metrics stream was seen to be gone, `CLOCK_MONOTONIC`; `nil` while it is open.
    private(set) var metricsLostAtNanoseconds: UInt64?

    /// Where the last record of each type stood that was read, or was found to be unreadable.
    private var seen: (identity: UInt64?, series: UInt64?, sample: UInt64?)

    /// The newest of each type and subject.
    private(set) var answers: [HeldAnswer.Key: HeldAnswer] = [:]

    /// Answers that their writer has let go of are not taken back one by one: from so many on they are cleared away.
    private static let sweptAnswers = 128
    /// An ingest worker keeps 64 crash records of an agent, and one each of four other kinds. More are not by a worker of ours.
    static let maximumAnswers = 128
    /// When to sweep next. Twice what was left is so far off that each record costs no more than two looks at another.
    private var sweepsAbove = RingAgent.sweptAnswers

    /// Without samples between them tables can follow each other: windows bring series, too.
    private static let keptTables = 3

    init(slot: SlotRef, entry: AgentEntry) {
        self.slot = slot
        self.entry = entry
    }

    /// - Parameter now: `CLOCK_MONOTONIC`.
    func sampleAgeNanoseconds(now: UInt64) -> Int64 {
        max(0, Int64(clamping: now).subtractingClamped(sampleReceivedAtMonotonicNanoseconds))
    }

    func update(_ entry: AgentEntry, nowNanoseconds: UInt64) {
        // One that is unconnected, and registered later than was known, has come over from the ring of another worker.
        if entry.status == .unconnected, entry.registeredAtNanoseconds > self.entry.registeredAtNanoseconds {
            metricsLostAtNanoseconds = nil
        }
        self.entry = entry
        if entry.openStreams & AgentStream.metrics.bit != 0 {
            metricsLostAtNanoseconds = nil
        } else if metricsLostAtNanoseconds == nil {
            metricsLostAtNanoseconds = entry.status == .online ? nowNanoseconds : entry.statusSinceNanoseconds
        }
    }

    /// Another worker has its metrics stream: not lost, whatever this entry says.
    func clearMetricsLoss() { metricsLostAtNanoseconds = nil }

    /// The ring that it stood in was begun anew, and its connection is gone with that.
    func loseWorker(nowNanoseconds: UInt64) {
        var lost = entry
        lost.status = .unconnected
        lost.statusSinceNanoseconds = nowNanoseconds
        lost.openStreams = 0
        update(lost, nowNanoseconds: nowNanoseconds)
    }

    func take(_ record: IdentityRecord) { identity = record }

    func noteSeen(_ type: RecordType, at position: UInt64) {
        switch type {
        case .identity: seen.identity = max(seen.identity ?? 0, position)
        case .series: seen.series = max(seen.series ?? 0, position)
        case .sample: seen.sample = max(seen.sample ?? 0, position)
        default: break
        }
    }

    /// Records that the slot names before a position and that were never seen, in the order in which they are to be taken;
    /// `nil` without one.
    func missed(before end: UInt64) -> [(type: RecordType, position: UInt64)]? {
        func isMissed(_ position: UInt64, _ seen: UInt64?) -> Bool {
            position < end && seen.map { position > $0 } ?? true
        }
        let missed = (
            isMissed(entry.identityPosition, seen.identity), isMissed(entry.seriesPosition, seen.series),
            isMissed(entry.samplePosition, seen.sample)
        )
        guard missed.0 || missed.1 || missed.2 else { return nil }
        return [
            missed.0 ? (.identity, entry.identityPosition) : nil, missed.1 ? (.series, entry.seriesPosition) : nil,
            missed.2 ? (.sample, entry.samplePosition) : nil,
        ].compactMap { $0 }
    }

    /// - Parameter isCurrent: whether the ring's writer has not let go of an answer.
    func takeAnswer(_ header: RecordHeader, _ reading: Reading, isCurrent: (HeldAnswer) -> Bool) {
        let key = HeldAnswer.Key(type: header.type, subject: header.subject)
        let known = answers[key]
        if let known, known.sequence > header.sequence { return }
        var answer = HeldAnswer(header, reading)
        // A compacted copy came when the record did.
        if let known, known.sequence == header.sequence { answer.arrival = known.arrival }
        answers[key] = answer
        if answers.count > sweepsAbove { sweepAnswers(isCurrent) }
    }

    private func sweepAnswers(_ isCurrent: (HeldAnswer) -> Bool) {
        answers = answers.filter { isCurrent($0.value) }
        let excess = answers.count - Self.maximumAnswers
        if excess > 0 {
            for (key, _) in answers.sorted(by: { $0.value.sequence < $1.value.sequence }).prefix(excess) {
                answers[key] = nil
            }
        }
        sweepsAbove = max(Self.sweptAnswers, 2 * answers.count)
    }

    func dropAnswer(_ key: HeldAnswer.Key) { answers[key] = nil }

    /// - Returns: whether the payload was a table.
    func takeTable(_ payload: RawSpan) -> Bool {
        // A compacted copy of a table that is known says nothing new.
        if let number = SeriesTable.number(of: payload), tables.contains(where: { $0.number == number }) { return true }
        guard let table = SeriesTable(payload: payload) else { return false }
        // Numbers rise; a table that was compacted, or is found late in a rebuild, comes out of turn.
        let place = tables.firstIndex { $0.number > table.number } ?? tables.endIndex
        tables.insert(table, at: place)
        if tables.count > Self.keptTables { tables.removeFirst() }
        return true
    }

    func table(number: UInt32) -> SeriesTable? { tables.last { $0.number == number } }

    /// - Returns: whether the payload was a sample of a known table.
    func takeSample(_ payload: RawSpan, _ reading: Reading) -> Bool {
        guard let header = Sample.header(of: payload), let table = table(number: header.tableNumber),
            let sample = Sample(payload: payload, table: table)
        else { return false }
        self.sample = sample
        self.table = table
        // A sample that still named an older table came before this one.
        if let older = tables.lastIndex(where: { $0 === table }) { tables.removeFirst(older) }
        sampleOrigin = reading.origin(ofReceivedAt: sample.receivedAtNanoseconds)
        sampleReceivedAtMonotonicNanoseconds = reading.monotonicNanoseconds(ofWall: sample.receivedAtNanoseconds)
        return true
    }
}
