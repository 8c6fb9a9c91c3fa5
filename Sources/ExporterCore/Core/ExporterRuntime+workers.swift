// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import Platform
import Rings
import WorkerLink
import WorkerRuntime

/// Ingest workers come and go.
extension ExporterRuntime {
    /// Room for tens of thousands of commands; a full one fails the command at once.
    private static let commandRingBytes = 1 << 20
    /// In whose command ring the markers of what is being read stand: ``ExporterMarker``.
    private static let markersWorker = 0

    /// The workers that there are at the start. Their rings are read from ``start()`` on.
    func open(_ rings: WorkerDescriptors.Exporter) throws {
        for index in rings.dataRings.indices {
            ingestEndpoints.put(
                try makeEndpoint(
                    index, dataRing: rings.dataRings[index], commandRing: rings.commandRings[index],
                    wakeup: rings.wakeups[index]))
        }
        state.placeMarkers(in: ingestEndpoints[Self.markersWorker]?.ring)
    }

    /// Receives the workers' wakeups.
    func listen() -> EventLoopFuture<Void> {
        EventLoopFuture.andAllSucceed(
            ingestEndpoints.all.map { $0.listen(on: loop) { [self] in handleWakeup() } }, on: loop)
    }

    /// A worker has come, or has a new ring. The descriptors are closed if it cannot be taken.
    func ringArrived(_ index: Int, _ ring: RingDescriptors) throws {
        guard let commandRing = ring.commandRing, let wakeup = ring.wakeup,
            (0..<WorkerLaunch.limitWorkers).contains(index)
        else {
            for descriptor in ring.list { MemoryFile.close(descriptor) }
            throw WorkerLaunchError("descriptors of the ring are missing")
        }
        letGo(index)
        do {
            let endpoint = try makeEndpoint(index, dataRing: ring.dataRing, commandRing: commandRing, wakeup: wakeup)
            ingestEndpoints.put(endpoint)
            endpoint.listen(on: loop) { [self] in handleWakeup() }.whenFailure { [logger] error in
                // A process that begins anew is given all rings again.
                logger.critical(
                    "cannot take a ring", metadata: ["reason": "ingest-\(index): its wakeup channel: \(error)"])
                exit(WorkerProcess.exitFailure)
            }
            if index == Self.markersWorker { state.placeMarkers(in: endpoint.ring) }
        } catch {
            for descriptor in ring.list { MemoryFile.close(descriptor) }
            throw error
        }
        // Its current records are there for the next question.
        readRings()
    }

    /// A worker is gone for good.
    func depart(_ index: Int, readingAtMostNanoseconds: UInt64 = longestLastTurnNanoseconds) {
        guard ingestEndpoints[index] != nil, !departures.contains(where: { $0.index == index }) else { return }
        // Records that another ring has adopted are written by now, and must be known before it is gone.
        let departure = RingDeparture(of: index, ingestEndpoints, nowNanoseconds: MonotonicClock.nowNanoseconds())
        endWaiting(for: index, readingAtMostNanoseconds: readingAtMostNanoseconds)
        departures.append(departure)
        endDepartures()
    }

    /// Rings of workers that are gone go when the others have been read as far as is needed.
    func endDepartures() {
        guard !departures.isEmpty else { return }
        let now = MonotonicClock.nowNanoseconds()
        for departure in departures where departure.isOver(ingestEndpoints, nowNanoseconds: now) {
            remove(departure.index)
        }
    }

    /// Another ring takes its place.
    private func letGo(_ index: Int) {
        guard ingestEndpoints[index] != nil else { return }
        endWaiting(for: index, readingAtMostNanoseconds: Self.longestLastTurnNanoseconds)
        remove(index)
    }

    /// Its agents' answers until now belong to the questions that end here.
    private func endWaiting(for index: Int, readingAtMostNanoseconds: UInt64) {
        readRings(atMostNanoseconds: readingAtMostNanoseconds)
        giveUpAsking(index)
        for feature in features { feature.workerWasLost(index) }
        // Now, while its agents are there.
        deliveries.deliver()
    }

    private func remove(_ index: Int) {
        departures.removeAll { $0.index == index }
        if index == Self.markersWorker { state.placeMarkers(in: nil) }
        ingestEndpoints.remove(index)
        state.forgetSuspects(worker: index)
    }

    // MARK: Opening

    private func makeEndpoint(_ index: Int, dataRing: Int32, commandRing: Int32, wakeup: Int32) throws -> IngestEndpoint
    {
        let follower = RingFollower(
            worker: index, descriptor: dataRing, crashGuard: state.crashGuard, records: records, logger: logger)
        follower.onRecord = { [unowned self] in yieldToEventLoop() }
        follower.onSkip = { [unowned self] in giveUpAsking(index) }
        follower.onReset = { [unowned self] in state.forgetSuspects(worker: index) }
        let ring = try openCommandRing(commandRing, index: index)
        // A question that was not read is not overwritten: the ring is full, and the next question is refused.
        ring.slowestReaderPosition = { [unowned follower, generation = launch.generation] in
            let taken = follower.reader?.peerReadPosition(Int(generation % 2))
            return taken?.generation == generation ? taken?.position : nil
        }
        return IngestEndpoint(
            follower: follower, ring: ring, wakeup: WakeupChannel(descriptor: wakeup),
            descriptors: [dataRing, commandRing, wakeup])
    }

    /// A command ring goes on where the last exporter of this parity left it. One that cannot be used is begun anew:
    /// nothing in it outlives its exporter.
    private func openCommandRing(_ descriptor: Int32, index: Int) throws(RingError) -> RingWriter {
        guard !launch.isFresh else { return try formatCommandRing(descriptor, index: index) }
        do {
            return try RingWriter.takeOver(
                descriptor: descriptor, kind: .command, index: index, generation: launch.generation,
                maximumRingBytes: Self.commandRingBytes)
        } catch .unusable(let reason) {
            logger.error("cannot use a command ring: formatting it again", metadata: ["reason": "\(reason)"])
            return try formatCommandRing(descriptor, index: index)
        }
    }

    private func formatCommandRing(_ descriptor: Int32, index: Int) throws(RingError) -> RingWriter {
        try RingWriter.format(
            descriptor: descriptor, kind: .command, index: index, generation: launch.generation,
            maximumRingBytes: Self.commandRingBytes)
    }
}
