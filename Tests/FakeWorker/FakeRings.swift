// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import Rings
import WorkerLink

/// The rings of a fake worker: it beats in its own, reads what the others write, and writes a little itself.
final class FakeRings {
    private let launch: WorkerLaunch
    /// An ingest worker has one; the exporter one for each ingest worker.
    private var own: [RingWriter] = []
    /// The rings that it reads: the descriptor, and its number among the peers of `own[index]`.
    private var others: [(descriptor: Int32, kind: RingKind, own: Int, peer: Int)] = []
    private var readers: [Int: RingReader] = [:]
    private let wakeups: [WakeupChannel]

    init(_ launch: WorkerLaunch) throws(RingError) {
        self.launch = launch
        let limit = launch.settings.ringMaxBytes
        switch launch.descriptors.rings {
        case .ingest(let rings):
            own = [
                try RingWriter.takeOver(
                    descriptor: rings.dataRing, kind: .data, index: launch.index, generation: launch.generation,
                    maximumRingBytes: limit)
            ]
            others = [(rings.commandA, .command, 0, 0), (rings.commandB, .command, 0, 1)]
            wakeups = [rings.wakeupA, rings.wakeupB].map(WakeupChannel.init)
        case .exporter(let rings):
            wakeups = rings.wakeups.map(WakeupChannel.init)
            for (index, descriptor) in rings.commandRings.enumerated() {
                own.append(
                    try RingWriter.format(
                        descriptor: descriptor, kind: .command, index: index, generation: launch.generation,
                        maximumRingBytes: limit))
                others.append((rings.dataRings[index], .data, index, 0))
            }
        case .recorder(let rings):
            own = [
                try RingWriter.format(
                    descriptor: rings.state, kind: .state, index: 0, generation: launch.generation,
                    maximumRingBytes: limit)
            ]
            wakeups = []
        }
    }

    /// Whether somebody has rung since the last call.
    func hasRung() -> Bool {
        var hasRung = false
        for wakeup in wakeups {
            var byte: UInt8 = 0
            hasRung = recv(wakeup.descriptor, &byte, 1, Int32(MSG_DONTWAIT)) > 0 || hasRung
            wakeup.drain()
        }
        return hasRung
    }

    func beat() {
        for ring in own { ring.beat(MonotonicClock.nowNanoseconds()) }
    }

    /// Reads every ring to its head and says so.
    func readAll() {
        for (place, other) in others.enumerated() {
            if readers[place] == nil {
                readers[place] = try? RingReader(descriptor: other.descriptor, kind: other.kind)
            }
            guard let reader = readers[place] else { continue }
            reader.seekToHead()
            own[other.own].setReadPosition(other.peer, generation: launch.generation, position: reader.position)
        }
    }

    /// A small record in each ring, so that there is always something to read.
    func write() {
        for ring in own {
            let empty: [UInt8] = [1]
            _ = try? ring.append(RecordType(rawValue: 200), empty.span.bytes)
        }
    }
}
