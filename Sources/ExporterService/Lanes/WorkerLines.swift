// SPDX-License-Identifier: Apache-2.0
import Exchange
import Lanes
import Logging
import Platform

/// The exporter's lines to the ingest workers: commands, doorbells, and what `control` says of them.
final class WorkerLines {
    private let peers: IngestPeers
    private let control: ControlReader
    private let generation: UInt64
    private var number: UInt64 = 0
    private(set) var refusedCommands: UInt64 = 0

    init(peers: IngestPeers, control: ControlReader, generation: UInt64) {
        self.peers = peers
        self.control = control
        self.generation = generation
    }

    var count: Int { peers.count }

    /// Asks every worker that takes commands.
    /// - Returns: the number of the command, and who was asked.
    func send(_ type: RecordType, _ payload: [UInt8]) -> (number: UInt64, asked: Set<Int>) {
        number += 1
        let asked = peers.all.filter { takesCommands($0) && append(type, payload, number: number, to: $0) }
        return (number, Set(asked.map(\.index)))
    }

    /// Asks one worker something new.
    /// - Returns: the number of the command; `nil` when the worker cannot be asked.
    func send(_ type: RecordType, _ payload: [UInt8], to worker: Int) -> UInt64? {
        guard let peer = peers[worker], takesCommands(peer) else { return nil }
        number += 1
        return append(type, payload, number: number, to: peer) ? number : nil
    }

    /// Says something more about an earlier command; a worker that is about to end still hears that.
    func send(_ type: RecordType, _ payload: [UInt8], number: UInt64, to worker: Int) {
        guard let peer = peers[worker], control.worker(.ingest, worker).state.isAlive else { return }
        _ = append(type, payload, number: number, to: peer)
    }

    private func append(_ type: RecordType, _ payload: [UInt8], number: UInt64, to peer: IngestPeer) -> Bool {
        do {
            _ = try peer.lane.append(
                type, agent: .none, generation: generation, number: number, subject: 0, isCurrent: false,
                payload.span.bytes, RawSpan())
            ring(peer)
            return true
        } catch {
            // A worker that does not read its commands any more is about to be replaced: no use to wait for it.
            refusedCommands += 1
            return false
        }
    }

    private func ring(_ peer: IngestPeer) {
        if peer.follower.reader?.isWriterSleeping ?? true { peer.bell.ring() }
    }

    private func takesCommands(_ peer: IngestPeer) -> Bool {
        control.worker(.ingest, peer.index).state == .running
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
        for peer in peers.all {
            let worker = control.worker(.ingest, peer.index)
            let asked = worker.state == .running ? worker.generation : 0
            let living = worker.state.isAlive ? worker.generation : 0
            if asked != peer.askedGeneration {
                if peer.askedGeneration != 0 {
                    losses.unasked.append(peer.index)
                    peer.lostAtNanoseconds = now
                }
                peer.askedGeneration = asked
            }
            if living != peer.livingGeneration {
                if peer.livingGeneration != 0 { losses.gone.append(peer.index) }
                peer.livingGeneration = living
            }
        }
        return losses
    }

    func lostAtNanoseconds(worker: Int) -> UInt64? { peers[worker]?.lostAtNanoseconds }

    /// Tells each worker how far its lane has been read. Wakes one that waits for it with a full ring.
    func publishReadPositions() {
        for peer in peers.all {
            guard let reader = peer.follower.reader, reader.position != peer.readPosition else { continue }
            peer.readPosition = reader.position
            peer.lane.setReadPosition(0, generation: generation, position: reader.position)
            if reader.counter(IngestCounter.waitsForRoom.rawValue) != 0 { ring(peer) }
        }
    }

    func setSleeping(_ isSleeping: Bool) {
        for peer in peers.all { peer.lane.setSleeping(isSleeping) }
    }

    func beat(nowNanoseconds: UInt64) {
        for peer in peers.all { peer.lane.beat(nowNanoseconds) }
    }
}

extension ControlWorker.State {
    /// Its process serves what it has.
    var isAlive: Bool { self == .running || self == .draining }
}
