// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import RingMessages
import Rings

/// The exporter's channels to the ingest workers: commands, wakeups, and their entries in `control`.
final class WorkerChannels {
    private let ingestEndpoints: IngestEndpoints
    private let control: WorkerTableReader
    private let generation: UInt64
    private var number: UInt64 = 0

    init(ingestEndpoints: IngestEndpoints, control: WorkerTableReader, generation: UInt64) {
        self.ingestEndpoints = ingestEndpoints
        self.control = control
        self.generation = generation
    }

    var count: Int { ingestEndpoints.count }

    /// The number of a question that is yet to be asked.
    func nextNumber() -> UInt64 {
        number += 1
        return number
    }

    /// The outcome of a question to every worker.
    struct Asked {
        /// Where in its command ring each worker that was asked finds the question.
        var positions: [Int: UInt64] = [:]
        /// Workers that run and could not be asked.
        var refused: [Int] = []
    }

    /// Asks every worker that takes commands, and says which could not be asked.
    func ask(_ type: RecordType, _ payload: [UInt8], number: UInt64) -> Asked {
        var asked = Asked()
        for endpoint in ingestEndpoints.all where takesCommands(endpoint) {
            if let position = append(type, payload, number: number, to: endpoint) {
                asked.positions[endpoint.index] = position
            } else {
                asked.refused.append(endpoint.index)
            }
        }
        return asked
    }

    /// A worker beats every 250 ms, in long turns more often.
    private static let silentAfterNanoseconds: UInt64 = 750_000_000

    /// Whether a worker is the reason why its agents' answers are not here: it has not taken the question, does not show
    /// that it lives, waits for room in its ring, or has written more than was read.
    func isSilent(_ worker: Int, askedAt position: UInt64, nowNanoseconds now: UInt64) -> Bool {
        guard let endpoint = ingestEndpoints[worker], let reader = endpoint.follower.reader else { return true }
        if now - min(now, reader.heartbeat) > Self.silentAfterNanoseconds || !reader.isAtHead { return true }
        if reader.counter(IngestCounter.waitsForRoom.rawValue) != 0 { return true }
        let taken = reader.peerReadPosition(Int(generation % 2))
        return taken.generation != generation || taken.position <= position
    }

    /// Asks one worker something new.
    /// - Returns: the number of the command; `nil` when the worker cannot be asked.
    func send(_ type: RecordType, _ payload: [UInt8], to worker: Int) -> UInt64? {
        guard let endpoint = ingestEndpoints[worker], takesCommands(endpoint) else { return nil }
        let number = nextNumber()
        return append(type, payload, number: number, to: endpoint).map { _ in number }
    }

    /// Says something more about an earlier command; a worker that is about to end still hears that.
    func send(_ type: RecordType, _ payload: [UInt8], number: UInt64, to worker: Int) {
        guard let endpoint = ingestEndpoints[worker], control.worker(.ingest, worker).state.isAlive else { return }
        _ = append(type, payload, number: number, to: endpoint)
    }

    /// - Returns: the position of the command; `nil` when there is no room for it.
    private func append(_ type: RecordType, _ payload: [UInt8], number: UInt64, to endpoint: IngestEndpoint) -> UInt64?
    {
        do {
            let position = try endpoint.ring.append(
                type, agent: .none, generation: generation, number: number, subject: 0, isCurrent: false,
                payload.span.bytes, RawSpan())
            wake(endpoint)
            return position
        } catch {
            // A worker that does not read its commands any more is about to be replaced: no use to wait for it.
            return nil
        }
    }

    private func wake(_ endpoint: IngestEndpoint) {
        if endpoint.follower.reader?.isWriterSleeping ?? true { endpoint.wakeup.wake() }
    }

    /// Whether the worker may be asked at present.
    func takesCommands(_ worker: Int) -> Bool { ingestEndpoints[worker].map(takesCommands) ?? false }

    private func takesCommands(_ endpoint: IngestEndpoint) -> Bool {
        control.worker(.ingest, endpoint.index).state == .running
    }

    /// Workers that have changed for the worse since the last look.
    struct Losses {
        /// They take no more commands, or are not the same process any more: nothing is to be expected of what they were
        /// asked.
        var unasked: [Int] = []
        /// Their process is gone, or is another one.
        var gone: [Int] = []
    }

    /// Looks at `control`.
    func losses(nowNanoseconds now: UInt64) -> Losses {
        var losses = Losses()
        for endpoint in ingestEndpoints.all {
            let worker = control.worker(.ingest, endpoint.index)
            let asked = worker.state == .running ? worker.generation : 0
            let living = worker.state.isAlive ? worker.generation : 0
            if asked != endpoint.askedGeneration {
                if endpoint.askedGeneration != 0 {
                    losses.unasked.append(endpoint.index)
                    endpoint.lostAtNanoseconds = now
                }
                endpoint.askedGeneration = asked
            }
            if living != endpoint.livingGeneration {
                if endpoint.livingGeneration != 0 { losses.gone.append(endpoint.index) }
                endpoint.livingGeneration = living
            }
            if living != 0 {
                endpoint.deadSinceNanoseconds = nil
            } else if endpoint.deadSinceNanoseconds == nil {
                // This exporter may have come long after.
                endpoint.deadSinceNanoseconds = worker.state.isGone ? min(now, worker.stateSinceNanoseconds) : now
            }
            let damaged = endpoint.follower.reader?.counter(IngestCounter.commandsDamaged.rawValue)
            if let damaged, damaged != endpoint.damagedCommands {
                // Commands have not come through, and nobody knows which.
                if endpoint.damagedCommands != nil, !losses.unasked.contains(endpoint.index) {
                    losses.unasked.append(endpoint.index)
                    endpoint.lostAtNanoseconds = now
                }
                endpoint.damagedCommands = damaged
            }
        }
        return losses
    }

    /// When something was last lost of what the worker had, or had been asked.
    func lostAtNanoseconds(worker: Int) -> UInt64? {
        guard let endpoint = ingestEndpoints[worker] else { return nil }
        let faults = endpoint.follower.faults
        let times = [endpoint.lostAtNanoseconds, faults.skippedAtNanoseconds, faults.stall?.sinceNanoseconds]
        return times.compactMap { $0 }.max()
    }

    // MARK: Damage

    private(set) var repairedWords: UInt64 = 0

    /// Repairs the words in the headers of the command rings that differ from what this process has written.
    func repairRings(_ logger: Logger) {
        for endpoint in ingestEndpoints.all {
            let repairs = endpoint.ring.repairHeader()
            guard repairs > 0 else { continue }
            repairedWords += UInt64(repairs)
            logger.error(
                "repaired changed words of a command ring's header: faulty memory, or another process",
                metadata: ["worker": "ingest-\(endpoint.index)", "words": "\(repairs)"])
        }
    }

    /// Tells the supervisor which rings cannot be read.
    func publishConditions(nowNanoseconds now: UInt64) {
        for endpoint in ingestEndpoints.all {
            let faults = endpoint.follower.faults
            let isStalled = faults.stall != nil || faults.openFlaw != nil
            endpoint.ring.setCounter(RingCondition.stalled.rawValue, isStalled ? 1 : 0)
            let isDamaged = faults.isDamagedForGood(nowNanoseconds: now)
            let generation = isDamaged ? control.worker(.ingest, endpoint.index).generation : 0
            endpoint.ring.setCounter(RingCondition.damagedGeneration.rawValue, generation)
        }
    }

    /// Tells each worker how far its ring has been read. Wakes one that waits for it with a full ring.
    func publishReadPositions() {
        for endpoint in ingestEndpoints.all {
            guard let reader = endpoint.follower.reader, reader.position != endpoint.readPosition else { continue }
            endpoint.readPosition = reader.position
            endpoint.ring.setReadPosition(0, generation: generation, position: reader.position)
            if reader.counter(IngestCounter.waitsForRoom.rawValue) != 0 { wake(endpoint) }
        }
    }

    func setSleeping(_ isSleeping: Bool) {
        for endpoint in ingestEndpoints.all { endpoint.ring.setSleeping(isSleeping) }
    }

    func beat(nowNanoseconds: UInt64) {
        for endpoint in ingestEndpoints.all { endpoint.ring.beat(nowNanoseconds) }
    }
}

extension WorkerTableEntry.State {
    /// Its process serves what it has.
    var isAlive: Bool { self == .running || self == .draining }
}
