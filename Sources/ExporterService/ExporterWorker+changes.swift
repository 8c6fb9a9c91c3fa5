// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import NIOCore
import Platform
import WorkerLink
import WorkerRuntime

/// Ingest workers come and go, and a successor takes over.
extension ExporterWorker {
    public func laneArrived(_ index: Int, _ lane: LaneDescriptors) throws {
        guard let down = lane.down, let bell = lane.bell, (0..<WorkerLaunch.limitWorkers).contains(index) else {
            for descriptor in lane.list { MemoryFile.close(descriptor) }
            throw WorkerLaunchError("what belongs to the lane is not there")
        }
        letGo(index)
        do {
            let peer = try makePeer(index, up: lane.up, down: down, bell: bell)
            peers.put(peer)
            peer.listen(on: loop) { [self] in bellRang() }.whenFailure { [logger] error in
                // Who begins anew is given all lanes again.
                logger.critical(
                    "a lane cannot be taken", metadata: ["reason": "ingest-\(index): its doorbell: \(error)"])
                exit(WorkerProcess.exitFailure)
            }
            if index == Self.notesWorker { state.notesStand(in: peer.lane) }
        } catch {
            for descriptor in lane.list { MemoryFile.close(descriptor) }
            throw error
        }
        // What is current in it is there for whoever asks next.
        readLanes()
    }

    public func laneGone(_ index: Int) { depart(index) }

    func depart(_ index: Int, readingAtMostNanoseconds: UInt64 = longestLastTurnNanoseconds) {
        guard peers[index] != nil, !departures.contains(where: { $0.index == index }) else { return }
        // What another lane has taken over of it is written by now, and must be known before it is gone.
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

    /// What its agents have answered until now belongs to the answers that end here.
    private func endWaiting(for index: Int, readingAtMostNanoseconds: UInt64) {
        readLanes(atMostNanoseconds: readingAtMostNanoseconds)
        workerLost(index)
        // Now, while its agents are there.
        deliveries.deliver()
    }

    private func remove(_ index: Int) {
        departures.removeAll { $0.index == index }
        if index == Self.notesWorker { state.notesStand(in: nil) }
        peers.remove(index)
        state.forgetSuspects(worker: index)
    }

    public func adoptLane(_ index: Int, _ whenDone: @escaping @Sendable () -> Void) { whenDone() }

    /// A successor serves. What runs goes on, lanes are read, and each connection gets one more answer; what is left some
    /// seconds before the deadline is drained.
    public func retire(deadlineNanoseconds: UInt64, _ whenDone: @escaping @Sendable () -> Void) {
        guard !isEnding else { return }
        isEnding = true
        logger.info("retiring", metadata: ["connections": "\(server.connectionCount)"])
        state.release()
        lifecycleTimer?.stop()
        let now = MonotonicClock.nowNanoseconds()
        let left = Int64(clamping: deadlineNanoseconds - min(now, deadlineNanoseconds))
        let rest = TimeAmount.nanoseconds(max(0, left - Self.drainLimit.nanoseconds))
        let drain = loop.assumeIsolated().scheduleTask(in: rest) { [self] in
            self.drain(deadlineNanoseconds: deadlineNanoseconds, whenDone)
        }
        server.retire().whenComplete { _ in
            drain.cancel()
            whenDone()
        }
    }
}
