// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database
import Logging
import NIOCore
import Platform
import RingMessages
import Rings
import Settings
import Synchronization
import WorkerLink
import WorkerRuntime

/// The recorder process. Its event loop shows that it lives, says what the recorder says of itself, and touches no disk; all else
/// is done by a thread of its own, which may wait for the disk for as long as that takes, and gives way to the processes that
/// serve: a sample that is recorded some milliseconds later is as good, a scrape is not.
///
/// `@unchecked Sendable`: ``recorder`` is touched by that thread alone, the rest by the event loop alone.
public final class RecorderWorker: Worker, @unchecked Sendable {
    /// How often the worker says that it lives.
    private static let tick = TimeAmount.milliseconds(250)
    /// How often the rings are read: a sample is on the disk after that, and a commit costs a write.
    private static let turn = TimeAmount.seconds(1)
    /// Its own ring holds little more than a header.
    private static let ringBytes = 1 << 20

    private let loop: any EventLoop
    private let ring: RingWriter
    private let thread: JobThread
    private let recorder: Recorder
    private let status = Mutex(RecorderStatus())
    private var suspects: SuspectRecords
    private var isTurning = false
    private var isDraining = false

    public init(
        launch: WorkerLaunch, rings: WorkerDescriptors.Recorder, loop: any EventLoop, logger: Logger
    ) throws {
        guard let folder = launch.settings.blackBoxDirectory else {
            throw WorkerLaunchError("a recorder needs --black-box-dir")
        }
        self.loop = loop
        var suspects = SuspectRecords(keptIn: rings.state)
        for found in suspects.attribute(words: launch.suspects) {
            logger.log(
                level: found.isPoison ? .error : .warning, "\(found.text(reader: "recorder"))",
                metadata: ["record": "\(found.name.text)"])
        }
        suspects.forget { $0 >= launch.ingestWorkers }
        self.suspects = suspects
        let ring = try RingWriter.format(
            descriptor: rings.state, kind: .state, index: 0, generation: launch.generation,
            maximumRingBytes: Self.ringBytes)
        self.ring = ring
        try ring.append(.suspects, isCurrent: true, suspects.payload.span.bytes)
        thread = try Self.backgroundThread()
        recorder = Recorder(
            settings: RecorderSettings(launch.settings, folder: folder),
            control: try WorkerTableReader(descriptor: launch.descriptors.control), logger: logger)
        recorder.recordGuard = RecordGuard(poison: suspects.poison) {
            ring.setCounter(RecorderCounter.reading.rawValue, $0.word)
        } onForgotten: { [unowned self] worker in
            loop.execute { [self] in forgetSuspects(worker: worker) }
        }
        recorder.verdicts = FollowedVerdicts(descriptor: rings.exporterState)
        for (index, descriptor) in rings.dataRings.enumerated() { recorder.addRing(index, descriptor: descriptor) }
    }

    private static func backgroundThread() throws(SystemError) -> JobThread {
        let thread = try JobThread(name: "black-box")
        let isLowered = AwaitedValue<Void>()
        thread.run {
            ThreadPriority.lowerToBackground()
            isLowered.set(())
        }
        // Else the sandbox could be there first.
        isLowered.wait()
        return thread
    }

    /// The ring of that worker is another one: a successor is not told of records of the last one. A ring without room has
    /// nothing of it then; the successor leaves out one record of that number at most.
    private func forgetSuspects(worker: Int) {
        let before = suspects
        suspects.forget { $0 == worker }
        if suspects != before { _ = try? ring.append(.suspects, isCurrent: true, suspects.payload.span.bytes) }
    }

    public func start() -> EventLoopFuture<Void> {
        beat()
        loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { [self] _ in beat() }
        loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.turn) { [self] _ in startTurn() }
        // Nobody waits for the disk: it serves from now on, and says what is wrong with it.
        return loop.makeSucceededVoidFuture()
    }

    private func beat() {
        ring.beat(MonotonicClock.nowNanoseconds())
        status.withLock { $0 }.publish { ring.setCounter($0, $1) }
        ring.repairHeader()
    }

    /// One at a time: while the disk makes the thread wait, nothing piles up.
    private func startTurn() {
        guard !isTurning, !isDraining else { return }
        isTurning = true
        thread.run { [self] in
            takeTurns()
            loop.execute { [self] in isTurning = false }
        }
    }

    /// On the thread.
    private func takeTurns() {
        while recorder.turn() { status.withLock { $0 = recorder.status } }
        status.withLock { $0 = recorder.status }
    }

    // MARK: Orders

    public func drain(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        let left = Int64(clamping: deadlineNanoseconds - min(MonotonicClock.nowNanoseconds(), deadlineNanoseconds))
        // A disk that does not answer does not keep the service from ending: what is not committed, the successor reads again.
        loop.assumeIsolated().scheduleTask(in: .nanoseconds(left)) { whenDone() }
        thread.run { [self] in
            takeTurns()
            whenDone()
        }
    }

    public func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        drain(deadlineNanoseconds: deadlineNanoseconds, whenDone)
    }

    public func ringArrived(_ index: Int, _ ring: RingDescriptors) throws {
        thread.run { [self] in recorder.addRing(index, descriptor: ring.dataRing) }
    }

    public func ringGone(_ index: Int) {
        thread.run { [self] in
            // Records everything that the ring holds before it is dropped.
            takeTurns()
            recorder.dropRing(index)
        }
    }

    public func adoptRing(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) { whenDone() }
}

extension RecorderSettings {
    /// Profiles leave room for samples, whatever the flags say.
    private static let profileShare = 2

    init(_ settings: ProxySettings, folder: String) {
        self.init(
            folder: folder, intervalNanoseconds: settings.recordInterval.wholeNanoseconds,
            graceNanoseconds: UInt64(clamping: settings.staleGrace.wholeNanoseconds),
            limits: RetentionLimits(
                maximumBytes: Int64(settings.blackBoxMaxBytes),
                maximumAgeNanoseconds: settings.blackBoxMaxAge.wholeNanoseconds,
                profileBytes: Int64(
                    min(settings.blackBoxProfilesMaxBytes, settings.blackBoxMaxBytes / Self.profileShare)),
                incidentCount: settings.blackBoxIncidents))
    }
}

extension RecorderStatus {
    /// As words of the recorder's ring.
    func publish(_ set: (_ word: Int, UInt64) -> Void) {
        set(RecorderCounter.trouble.rawValue, UInt64(cause.map { RecorderTrouble($0).rawValue } ?? 0))
        set(RecorderCounter.samplesRecorded.rawValue, samplesRecorded)
        set(RecorderCounter.recordsMissed.rawValue, recordsMissed)
        set(RecorderCounter.recordsMalformed.rawValue, recordsMalformed)
        set(RecorderCounter.recordsDamaged.rawValue, recordsDamaged)
        set(RecorderCounter.recordsPoisonous.rawValue, recordsPoisonous)
        set(RecorderCounter.lastCommitAtNanoseconds.rawValue, UInt64(clamping: lastCommitNanoseconds))
        set(RecorderCounter.usedBytes.rawValue, UInt64(clamping: usedBytes))
        set(RecorderCounter.chunksDropped.rawValue, chunksDropped)
        set(RecorderCounter.oldestSampleAtNanoseconds.rawValue, UInt64(clamping: oldestSampleNanoseconds))
        set(RecorderCounter.profileBytes.rawValue, UInt64(clamping: profileBytes))
        set(RecorderCounter.samplesFilled.rawValue, samplesFilled)
        set(RecorderCounter.profilesStored.rawValue, profilesStored)
        for (cause, count) in writeErrors {
            set(RecorderCounter.firstErrorWord + RecorderTrouble(cause).rawValue, count)
        }
        for (place, kind) in IncidentKind.allCases.enumerated() {
            set(RecorderCounter.firstIncidentWord + place, incidents[kind] ?? 0)
        }
    }
}

extension RecorderTrouble {
    init(_ cause: DatabaseError.Cause) {
        self =
            switch cause {
            case .full: .full
            case .readOnly: .readOnly
            case .corrupt: .corrupt
            case .newerSchema: .newerSchema
            case .foreign: .foreign
            case .locked: .locked
            case .cannotOpen: .cannotOpen
            case .inputOutput: .inputOutput
            case .other: .other
            }
    }
}
