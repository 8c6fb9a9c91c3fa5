// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Logging
import Metrics
import Platform
import Reports
import RingMessages
import Rings
import TestHooks

/// Follows the data rings and writes what must outlive nodes into the black box. On a thread of its own, because every turn may
/// wait for the disk: while it waits nothing is read, and what the rings overwrite meanwhile is counted as missed.
///
/// One transaction holds the records and the read positions of the rings. So a process that ends at any moment loses
/// nothing: its successor resumes where the last commit ended.
final class Recorder {
    let settings: RecorderSettings
    let control: WorkerTableReader?
    let logger: Logger
    let interval: RecordingInterval
    var rings: [Int: FollowedRing] = [:]
    private(set) var store: BlackBoxStore?
    private(set) var condition = StoreCondition()
    private(set) var status = RecorderStatus()

    // State of the black box's nodes; discarded when the store closes.
    var presence: NodePresence
    var tracker = IncidentTracker()
    var nodes: [Int64: KnownNode] = [:]
    /// By the agent's id, which entries of agents that are registered at another worker name.
    var nodesByAgent: [AgentID: Int64] = [:]
    var workerEnds = WorkerEnds()
    var assemblies = ProfileAssemblies()
    /// By node.
    var gaps: [Int64: [SampleGap]] = [:]

    /// The exporter's verdicts on schemas, as it keeps them in its ring; `nil`: nobody follows them.
    var verdicts: FollowedVerdicts?
    var newestVerdicts: SchemaConsistency?
    var areVerdictsStored = false

    /// Records that are not to be read.
    var recordGuard = RecordGuard()

    /// Something has been written in the present transaction.
    var isChanged = false
    /// When the rings were last looked at, `CLOCK_MONOTONIC`.
    private(set) var lookedAtNanoseconds: UInt64 = 0
    private var nextRetentionNanoseconds: UInt64 = 0
    private var nextCensusNanoseconds: UInt64 = 0

    /// For tests.
    var monotonic: () -> UInt64 = MonotonicClock.nowNanoseconds
    var wall: () -> Int64 = WallClock.nowNanoseconds

    /// Maximum bytes that one transaction reads, because a larger commit makes the log longer and a crash before it
    /// costs more to repeat.
    private static let turnBytes = 64 << 20
    private static let retentionNanoseconds: UInt64 = 10_000_000_000

    struct KnownNode {
        var podName: String
        var role: String
        /// The node's name in incidents.
        var subject: String
        var lastRecordedNanoseconds: Int64?
        var uptimeSeconds: Double?
        /// The ring that named it last.
        var worker: Int
        /// Why it is not registered any more, and since when (`CLOCK_MONOTONIC`), as the newest entry of a ring says.
        var departure = DepartureCause.unknown
        var departureSinceNanoseconds: UInt64 = 0
    }

    /// - Parameter control: the table of workers; `nil`: no incidents of workers.
    init(settings: RecorderSettings, control: WorkerTableReader? = nil, logger: Logger) {
        self.settings = settings
        self.control = control
        self.logger = logger
        interval = RecordingInterval(nanoseconds: settings.intervalNanoseconds)
        presence = NodePresence(graceNanoseconds: settings.graceNanoseconds)
    }

    /// There is a ring of an ingest worker, in the place of the one before. Owns the descriptor.
    func addRing(_ worker: Int, descriptor: Int32) {
        dropRing(worker)
        rings[worker] = FollowedRing(worker: worker, descriptor: descriptor)
    }

    func dropRing(_ worker: Int) {
        guard let ring = rings.removeValue(forKey: worker) else { return }
        recordGuard.forget(worker: worker)
        missedOfGoneRings = missedOfGoneRings.addingClamped(ring.recordsMissed)
        damagedOfGoneRings += ring.recordsDamaged
    }

    private var missedOfGoneRings: UInt64 = 0
    private var damagedOfGoneRings: UInt64 = 0

    /// Records what has come, and keeps the black box within its limits.
    /// - Returns: whether there is more to do at once.
    func turn() -> Bool {
        let now = monotonic()
        guard store != nil || now >= condition.retryAtNanoseconds else { return false }
        do throws(DatabaseError) {
            let store = try opened()
            let isMore = try record(store)
            try keepWithinLimits(store, now)
            return isMore
        } catch {
            fail(error, now)
            return false
        }
    }

    private func opened() throws(DatabaseError) -> BlackBoxStore {
        if let store { return store }
        let opened = try BlackBoxStore(folder: settings.folder)
        forget()
        let since = wall().subtractingClamped(IncidentTracker.quietNanoseconds)
        tracker = IncidentTracker(
            continuing: try opened.incidents(openOrSinceNanoseconds: since),
            distinction: .random(in: .min ... .max))
        try restoreNodes(opened)
        gaps = try opened.gaps()
        workerEnds = WorkerEnds(control: control, workers: Array(rings.keys))
        store = opened
        return opened
    }

    private func record(_ store: BlackBoxStore) throws(DatabaseError) -> Bool {
        for ring in rings.values where ring.open(recorded: try store.ringPosition(worker: ring.worker)) {
            recordGuard.forget(worker: ring.worker)
        }
        isChanged = false
        let before = status.samplesRecorded
        do throws(DatabaseError) {
            let isMore = try store.transaction { () throws(DatabaseError) in
                let isMore = try readRings(store)
                try notePresence(store)
                try noteWorkerEnds(store)
                try noteSchemaVerdicts(store)
                if isChanged { try storePositions(store) }
                return isMore
            }
            if isChanged { status.lastCommitNanoseconds = wall() }
            succeed()
            return isMore
        } catch {
            status.samplesRecorded = before
            throw error
        }
    }

    private func readRings(_ store: BlackBoxStore) throws(DatabaseError) -> Bool {
        lookedAtNanoseconds = monotonic()
        var left = Self.turnBytes
        var failure: DatabaseError?
        for ring in rings.values {
            ring.refreshAgents()
            while left > 0, failure == nil {
                let isRead = ring.readNext(nowNanoseconds: monotonic()) { header, payload in
                    left -= payload.byteCount + RecordType.overheadBytes
                    failure = read(header, payload, of: ring, store)
                }
                guard isRead else { break }
            }
        }
        if let failure { throw failure }
        status.recordsMissed = rings.values.reduce(missedOfGoneRings) { $0.addingClamped($1.recordsMissed) }
        status.recordsPoisonous = recordGuard.skippedRecords
        status.recordsDamaged = rings.values.reduce(damagedOfGoneRings) { $0 + $1.recordsDamaged } + store.damagedCount
        return left <= 0
    }

    /// Takes one record, unless it has killed recorders. The marker is cleared before the error is known to anybody.
    private func read(
        _ header: RecordHeader, _ payload: RawSpan, of ring: FollowedRing, _ store: BlackBoxStore
    ) -> DatabaseError? {
        let outcome = recordGuard.reading(RecordName(worker: ring.worker, sequence: header.sequence)) {
            TestHooks.trapOnPoison(inRecorded: payload)
            do throws(DatabaseError) {
                try take(header, payload, of: ring, store)
                return nil as DatabaseError?
            } catch {
                return error
            }
        }
        return outcome ?? nil
    }

    private func storePositions(_ store: BlackBoxStore) throws(DatabaseError) {
        for ring in rings.values {
            guard let position = ring.recordedPosition else { continue }
            try store.setRingPosition(position, worker: ring.worker)
        }
    }

    private func keepWithinLimits(_ store: BlackBoxStore, _ now: UInt64) throws(DatabaseError) {
        guard now >= nextRetentionNanoseconds else { return }
        nextRetentionNanoseconds = now + Self.retentionNanoseconds
        let inUse = Set(rings.values.flatMap { $0.agents.values.flatMap(\.tableIDs) })
        let outcome = try store.transaction { () throws(DatabaseError) in
            try forgetOldGaps(store)
            return try store.dropExcess(settings.limits, nowNanoseconds: wall(), inUse: inUse)
        }
        // The rest at the next turn: samples come first.
        if !outcome.isDone { nextRetentionNanoseconds = now }
        status.chunksDropped += UInt64(outcome.chunks)
        try store.shrink()
        status.usedBytes = try store.usedBytes()
        status.profileBytes = try store.profileBytes()
        status.oldestSampleNanoseconds = try store.oldestSampleNanoseconds() ?? 0
    }

    // MARK: Trouble

    private func succeed() {
        if let trouble = condition.trouble {
            logger.notice(
                "the black box is recording again", metadata: ["cause": "\(trouble.cause.rawValue)"])
        }
        condition.succeeded()
        (status.trouble, status.cause) = (nil, nil)
    }

    private func fail(_ error: DatabaseError, _ now: UInt64) {
        let isKnown = condition.trouble?.cause == error.cause
        status.writeErrors[error.cause, default: 0] += 1
        store = nil
        forget()
        let remedy = StoreCondition.remedy(error.cause)
        (status.trouble, status.cause) = ("\(error); \(remedy)", error.cause)
        if !isKnown {
            logger.error(
                "the black box is not recording: \(remedy)",
                metadata: ["cause": "\(error.cause.rawValue)", "reason": "\(error)"])
        }
        guard condition.failed(error, now: now) == .setAside else { return }
        do throws(DatabaseError) {
            let place = try BlackBoxFile.setAside(in: settings.folder, nowSeconds: wall() / 1_000_000_000)
            logger.error("a damaged black box was set aside", metadata: ["file": "\(place)"])
        } catch {
            logger.error("a damaged black box cannot be set aside", metadata: ["reason": "\(error)"])
        }
    }

    /// Discards uncommitted state. The rings are then read again from the positions in the black box.
    private func forget() {
        for ring in rings.values { ring.forget() }
        nodes = [:]
        nodesByAgent = [:]
        assemblies = ProfileAssemblies()
        gaps = [:]
        areVerdictsStored = false
        presence = NodePresence(graceNanoseconds: settings.graceNanoseconds)
        nextRetentionNanoseconds = 0
    }

    func count(_ change: (inout RecorderStatus) -> Void) { change(&status) }
}

extension RecordType {
    /// The fixed cost of reading a record besides its payload, in equivalent bytes.
    fileprivate static let overheadBytes = 256
}
