// SPDX-License-Identifier: Apache-2.0
import Glibc
import Metrics
import Platform
import RingMessages
import WorkerLink

@testable import Rings

/// The rings of one ingest worker, written by the test. Used by the test's thread alone.
final class FakeIngest {
    let index: Int
    private(set) var ring: RingWriter
    let dataRing: Int32
    private let commandRing: Int32
    private let wakeups: (mine: WakeupChannel, theirs: WakeupChannel)
    private var commands: RingReader?
    private var series: [SlotRef: AgentSeries] = [:]

    private let initialRingBytes: Int

    /// - Parameter initialRingBytes: a small ring costs a test that makes many of them less.
    init(_ index: Int, initialRingBytes: Int = RingKind.data.initialRingBytes) throws {
        self.initialRingBytes = initialRingBytes
        self.index = index
        dataRing = try RingFile.create(name: "fake-up", kind: .data)
        commandRing = try RingFile.create(name: "fake-down", kind: .command)
        let (mine, theirs) = try WakeupChannel.makePair()
        wakeups = (mine, theirs)
        ring = try RingWriter.format(
            descriptor: dataRing, kind: .data, index: index, generation: 1, maximumRingBytes: 16 << 20,
            initialRingBytes: initialRingBytes)
    }

    deinit {
        for descriptor in [dataRing, commandRing, wakeups.mine.descriptor, wakeups.theirs.descriptor] {
            MemoryFile.close(descriptor)
        }
    }

    /// The descriptors of an exporter; its own to close.
    func descriptors() throws -> RingDescriptors {
        RingDescriptors(
            dataRing: try MemoryFile.reopenReadOnly(dataRing), commandRing: try MemoryFile.duplicate(commandRing),
            wakeup: try MemoryFile.duplicate(wakeups.theirs.descriptor))
    }

    func notes() throws -> [UInt64] {
        let reader = try RingReader(descriptor: commandRing, kind: .command)
        return ExporterMarker.allCases.map { reader.counter($0.rawValue) }
    }

    /// An agent of its own, with its identity; a remote entry has none.
    @discardableResult
    func enter(
        _ id: AgentID, pod: String, status: AgentStatus = .online, streams: [AgentStream] = [.registration, .metrics],
        registeredAt: Int64 = WallClock.nowNanoseconds(), owner: UInt32 = 0
    ) throws -> SlotRef {
        guard let slot = ring.claimSlot() else { throw RingError.full }
        set(id, at: slot, status: status, streams: streams, registeredAt: registeredAt, owner: owner)
        series[slot] = AgentSeries(
            limits: SeriesLimits(), hashKey: (1, 2),
            enrichment: Enrichment(podName: pod, nodeRole: "ROLE_DATA", labels: [:]), firstTableNumber: 1)
        if status != .remote {
            let record = IdentityRecord(
                id: id, identity: AgentIdentity(podName: pod, containerNames: []), role: "ROLE_DATA", labels: [],
                peer: "127.0.0.1:1", registeredAtNanoseconds: registeredAt)
            try ring.append(.identity, agent: slot, isCurrent: true, record.payload.span.bytes)
        }
        return slot
    }

    func set(
        _ id: AgentID, at slot: SlotRef, status: AgentStatus, streams: [AgentStream] = [],
        registeredAt: Int64 = WallClock.nowNanoseconds(), owner: UInt32 = 0
    ) {
        ring.setEntry(
            AgentEntry(
                id: id, status: status, registeredAtNanoseconds: registeredAt,
                statusSinceNanoseconds: MonotonicClock.nowNanoseconds(),
                openStreams: streams.reduce(0) { $0 | $1.bit }, owner: owner), at: slot)
    }

    /// Its agent has answered with one series.
    func sample(_ name: String, _ value: Double, of slot: SlotRef, age: Duration = .zero) throws {
        guard let series = series[slot] else { return }
        let before = series.tableNumber
        let receivedAt = WallClock.nowNanoseconds() - age.components.seconds * 1_000_000_000
        let message = Self.message(name, value)
        _ = try series.decodeLatest(message.span.bytes, receivedAtNanoseconds: receivedAt)
        try publishTable(of: slot, series, since: before)
        try ring.append(.sample, agent: slot, byteCount: series.sampleByteCount, isCurrent: true) {
            series.writeSample(into: &$0)
        }
    }

    private var published: Set<SlotRef> = []

    /// If it is another one than before, or the first.
    private func publishTable(of slot: SlotRef, _ series: AgentSeries, since before: UInt32) throws {
        guard published.insert(slot).inserted || series.tableNumber != before else { return }
        try ring.append(
            .series, agent: slot, subject: UInt64(series.tableNumber), byteCount: series.tableByteCount,
            isCurrent: true
        ) { series.writeTable(into: &$0) }
    }

    /// Its agent has sent one point of a window.
    func window(_ command: Command, _ name: String, _ value: Double, of slot: SlotRef) throws {
        guard let series = series[slot] else { return }
        let before = series.tableNumber
        let columns = try series.decodeWindow(
            Self.message(name, value).span.bytes, receivedAtNanoseconds: WallClock.nowNanoseconds())
        try publishTable(of: slot, series, since: before)
        try ring.append(
            .window, agent: slot, generation: command.generation, number: command.number, subject: 0,
            byteCount: columns.byteCount, isCurrent: false
        ) { columns.write(into: &$0) }
        wake()
    }

    /// A message of one metric: field 1 of it the metric, whose fields are 1 the name and 3 the value.
    private static func message(_ name: String, _ value: Double) -> [UInt8] {
        let bits = value.bitPattern
        let metric =
            [0x0a, UInt8(name.utf8.count)] + Array(name.utf8) + [0x19]
            + (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
        return [0x0a, UInt8(metric.count)] + metric
    }

    /// Begins the ring anew, as a successor does whose predecessor's was damaged.
    func reset() throws {
        ring = try RingWriter.format(
            descriptor: dataRing, kind: .data, index: index, generation: 1, maximumRingBytes: 16 << 20,
            initialRingBytes: initialRingBytes)
        series = [:]
        published = []
    }

    func flipBit(_ bit: Int) {
        var byte: UInt8 = 0
        precondition(pread(dataRing, &byte, 1, bit / 8) == 1)
        byte ^= 1 << (bit % 8)
        precondition(pwrite(dataRing, &byte, 1, bit / 8) == 1)
    }

    func wake() { wakeups.mine.wake() }

    /// How often this worker has been woken since the last call.
    func takeRings() -> Int {
        var bytes = [UInt8](repeating: 0, count: 4096)
        return max(0, recv(wakeups.mine.descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT)))
    }

    struct Command {
        var type: RecordType
        var generation: UInt64
        var number: UInt64
    }

    /// The next command, if there is one.
    func command() -> Command? {
        if commands == nil { commands = try? RingReader(descriptor: commandRing, kind: .command) }
        var found: Command?
        while let commands, found == nil {
            let outcome = commands.next { header, _ in
                found = Command(type: header.type, generation: header.generation, number: header.number)
            }
            guard outcome != .empty else { break }
        }
        return found
    }

    /// Waits for a command; half a minute is what only a defect takes.
    func awaitCommand() throws -> Command {
        for _ in 0..<15_000 {
            if let command = command() { return command }
            usleep(2000)
        }
        throw DownloadHarness.NeverHappened(what: "a command for ingest-\(index)")
    }

    /// Says that a collection is over here.
    func end(
        _ command: Command, answered: [SlotRef] = [], unanswered: [SlotRef] = [],
        ending: CollectionOutcome.Ending = .complete
    ) throws {
        let outcome = CollectionOutcome(
            ending: ending, answered: answered.map(\.index), unanswered: unanswered.map(\.index))
        try ring.append(
            command.type == .collect ? .roundDone : .answersDone, generation: command.generation,
            number: command.number, outcome.payload.span.bytes)
        wake()
    }
}
