// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging
import Platform

/// The exporter's lines to the ingest workers: the command lanes that it writes, and the doorbells.
final class WorkerLines {
    private final class Line {
        let lane: LaneWriter
        let bell: Doorbell
        /// The worker's generation when it was last seen running; 0: not running.
        var generation: UInt64 = 0
        /// Monotonic, when it was seen to be gone or to have begun anew.
        var lostAtNanoseconds: UInt64?
        var readPosition: UInt64 = .max

        init(lane: LaneWriter, bell: Doorbell) {
            self.lane = lane
            self.bell = bell
        }
    }

    private let lines: [Line]
    private let control: ControlReader
    private let generation: UInt64
    private let followers: [LaneFollower]
    private var number: UInt64 = 0
    private(set) var refusedCommands: UInt64 = 0

    init(
        lanes: [LaneWriter], bells: [Doorbell], followers: [LaneFollower], control: ControlReader, generation: UInt64
    ) {
        lines = zip(lanes, bells).map { Line(lane: $0, bell: $1) }
        self.followers = followers
        self.control = control
        self.generation = generation
    }

    var count: Int { lines.count }

    /// Asks every worker that runs.
    /// - Returns: the number of the command, and who was asked.
    func send(_ type: RecordType, _ payload: [UInt8]) -> (number: UInt64, asked: Set<Int>) {
        number += 1
        let asked = lines.indices.filter { send(type, payload, number: number, to: $0) }
        return (number, Set(asked))
    }

    /// Asks one worker something new.
    /// - Returns: the number of the command; `nil` when the worker cannot be asked.
    func send(_ type: RecordType, _ payload: [UInt8], to worker: Int) -> UInt64? {
        number += 1
        return send(type, payload, number: number, to: worker) ? number : nil
    }

    /// Says something more about an earlier command.
    @discardableResult
    func send(_ type: RecordType, _ payload: [UInt8], number: UInt64, to worker: Int) -> Bool {
        guard isRunning(worker) else { return false }
        do {
            _ = try lines[worker].lane.append(
                type, agent: .none, generation: generation, number: number, subject: 0, isCurrent: false,
                payload.span.bytes, RawSpan())
            ring(worker)
            return true
        } catch {
            // A worker that does not read its commands any more is about to be replaced: no use to wait for it.
            refusedCommands += 1
            return false
        }
    }

    func ring(_ worker: Int) {
        if followers[worker].reader?.isWriterSleeping ?? true { lines[worker].bell.ring() }
    }

    private func isRunning(_ worker: Int) -> Bool {
        control.worker(.ingest, worker).state == .running
    }

    /// Looks at `control`.
    /// - Returns: workers that were running and are so no more, or not the same process.
    func lostWorkers(nowNanoseconds now: UInt64) -> [Int] {
        var lost: [Int] = []
        for (index, line) in lines.enumerated() {
            let worker = control.worker(.ingest, index)
            let running = worker.state == .running ? worker.generation : 0
            guard running != line.generation else { continue }
            if line.generation != 0 {
                lost.append(index)
                line.lostAtNanoseconds = now
            }
            line.generation = running
        }
        return lost
    }

    func lostAtNanoseconds(worker: Int) -> UInt64? { lines[worker].lostAtNanoseconds }

    /// Tells each worker how far its lane has been read. Wakes one that waits for it with a full ring.
    func publishReadPositions() {
        for (index, line) in lines.enumerated() {
            guard let reader = followers[index].reader, reader.position != line.readPosition else { continue }
            line.readPosition = reader.position
            line.lane.setReadPosition(0, generation: generation, position: reader.position)
            if reader.counter(IngestCounter.waitsForRoom.rawValue) != 0 { ring(index) }
        }
    }

    func setSleeping(_ isSleeping: Bool) {
        for line in lines { line.lane.setSleeping(isSleeping) }
    }

    func beat(nowNanoseconds: UInt64) {
        for line in lines { line.lane.beat(nowNanoseconds) }
    }
}
