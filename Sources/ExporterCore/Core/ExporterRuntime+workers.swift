// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import NIOCore
import Platform
import WorkerLink
import WorkerRuntime

/// Ingest workers come and go.
extension ExporterRuntime {
    /// Room for tens of thousands of commands; a full one fails the command at once.
    private static let commandRingBytes = 1 << 20
    /// In whose command lane the notes of what is being read stand: ``ExporterNote``.
    private static let notesWorker = 0

    /// The workers that there are at the start. Their lanes are read from ``start()`` on.
    func open(_ lanes: WorkerDescriptors.Exporter) throws {
        for index in lanes.ups.indices {
            peers.put(try makePeer(index, up: lanes.ups[index], down: lanes.downs[index], bell: lanes.bells[index]))
        }
        state.notesStand(in: peers[Self.notesWorker]?.lane)
    }

    /// Receives the workers' wakeups.
    func listen() -> EventLoopFuture<Void> {
        EventLoopFuture.andAllSucceed(peers.all.map { $0.listen(on: loop) { [self] in bellRang() } }, on: loop)
    }

    /// A worker has come, or has a new lane. The descriptors are closed if it cannot be taken.
    func laneArrived(_ index: Int, _ lane: LaneDescriptors) throws {
        guard let down = lane.down, let bell = lane.bell, (0..<WorkerLaunch.limitWorkers).contains(index) else {
            for descriptor in lane.list { MemoryFile.close(descriptor) }
            throw WorkerLaunchError("descriptors of the ring are missing")
        }
        letGo(index)
        do {
            let peer = try makePeer(index, up: lane.up, down: down, bell: bell)
            peers.put(peer)
            peer.listen(on: loop) { [self] in bellRang() }.whenFailure { [logger] error in
                // A process that begins anew is given all lanes again.
                logger.critical(
                    "cannot take a ring", metadata: ["reason": "ingest-\(index): its wakeup channel: \(error)"])
                exit(WorkerProcess.exitFailure)
            }
            if index == Self.notesWorker { state.notesStand(in: peer.lane) }
        } catch {
            for descriptor in lane.list { MemoryFile.close(descriptor) }
            throw error
        }
        // Its current records are there for the next question.
        readLanes()
    }

    /// A worker is gone for good.
    func depart(_ index: Int, readingAtMostNanoseconds: UInt64 = longestLastTurnNanoseconds) {
        guard peers[index] != nil, !departures.contains(where: { $0.index == index }) else { return }
        // Records that another lane has adopted are written by now, and must be known before it is gone.
        let departure = LaneDeparture(of: index, peers, nowNanoseconds: MonotonicClock.nowNanoseconds())
        endWaiting(for: index, readingAtMostNanoseconds: readingAtMostNanoseconds)
        departures.append(departure)
        endDepartures()
    }

    /// Lanes of workers that are gone go when the others have been read as far as is needed.
    func endDepartures() {
        guard !departures.isEmpty else { return }
        let now = MonotonicClock.nowNanoseconds()
        for departure in departures where departure.isOver(peers, nowNanoseconds: now) { remove(departure.index) }
    }

    /// Another lane takes its place.
    private func letGo(_ index: Int) {
        guard peers[index] != nil else { return }
        endWaiting(for: index, readingAtMostNanoseconds: Self.longestLastTurnNanoseconds)
        remove(index)
    }

    /// Its agents' answers until now belong to the questions that end here.
    private func endWaiting(for index: Int, readingAtMostNanoseconds: UInt64) {
        readLanes(atMostNanoseconds: readingAtMostNanoseconds)
        giveUpAsking(index)
        for feature in features { feature.workerWasLost(index) }
        // Now, while its agents are there.
        deliveries.deliver()
    }

    private func remove(_ index: Int) {
        departures.removeAll { $0.index == index }
        if index == Self.notesWorker { state.notesStand(in: nil) }
        peers.remove(index)
        state.forgetSuspects(worker: index)
    }

    // MARK: Opening

    private func makePeer(_ index: Int, up: Int32, down: Int32, bell: Int32) throws -> IngestPeer {
        let follower = LaneFollower(
            worker: index, descriptor: up, watch: state.watch, records: records, logger: logger)
        follower.onRecord = { [unowned self] in breathe() }
        follower.onSkip = { [unowned self] in giveUpAsking(index) }
        follower.onReset = { [unowned self] in state.forgetSuspects(worker: index) }
        let lane = try openCommandLane(down, index: index)
        // A question that was not read is not overwritten: the ring is full, and the next question is refused.
        lane.slowestReaderPosition = { [unowned follower, generation = launch.generation] in
            let taken = follower.reader?.peerReadPosition(Int(generation % 2))
            return taken?.generation == generation ? taken?.position : nil
        }
        return IngestPeer(
            follower: follower, lane: lane, bell: Doorbell(descriptor: bell), descriptors: [up, down, bell])
    }

    /// A command lane goes on where the last exporter of this parity left it. One that cannot be used is begun anew:
    /// nothing in it outlives its exporter.
    private func openCommandLane(_ descriptor: Int32, index: Int) throws(LaneError) -> LaneWriter {
        guard !launch.isFresh else { return try formatCommandLane(descriptor, index: index) }
        do {
            return try LaneWriter.takeOver(
                descriptor: descriptor, kind: .down, index: index, generation: launch.generation,
                maximumRingBytes: Self.commandRingBytes)
        } catch .unusable(let reason) {
            logger.error("cannot use a command ring: formatting it again", metadata: ["reason": "\(reason)"])
            return try formatCommandLane(descriptor, index: index)
        }
    }

    private func formatCommandLane(_ descriptor: Int32, index: Int) throws(LaneError) -> LaneWriter {
        try LaneWriter.format(
            descriptor: descriptor, kind: .down, index: index, generation: launch.generation,
            maximumRingBytes: Self.commandRingBytes)
    }
}
