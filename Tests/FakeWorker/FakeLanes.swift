// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Platform
import WorkerLink

/// The lanes of a fake worker: it beats in its own, reads what the others write, and writes a little itself.
final class FakeLanes {
    private let launch: WorkerLaunch
    /// An ingest worker has one; the exporter one for each ingest worker.
    private var own: [LaneWriter] = []
    /// The rings that it reads: the descriptor, and its number among the peers of `own[index]`.
    private var others: [(descriptor: Int32, kind: LaneKind, own: Int, peer: Int)] = []
    private var readers: [Int: LaneReader] = [:]
    private let bells: [Doorbell]

    init(_ launch: WorkerLaunch) throws(LaneError) {
        self.launch = launch
        let limit = launch.settings.ringMaxBytes
        switch launch.descriptors.lanes {
        case .ingest(let lanes):
            own = [
                try LaneWriter.takeOver(
                    descriptor: lanes.up, kind: .up, index: launch.index, generation: launch.generation,
                    maximumRingBytes: limit)
            ]
            others = [(lanes.downA, .down, 0, 0), (lanes.downB, .down, 0, 1)]
            bells = [lanes.bellA, lanes.bellB].map(Doorbell.init)
        case .exporter(let lanes):
            bells = lanes.bells.map(Doorbell.init)
            for (index, descriptor) in lanes.downs.enumerated() {
                own.append(
                    try LaneWriter.format(
                        descriptor: descriptor, kind: .down, index: index, generation: launch.generation,
                        maximumRingBytes: limit))
                others.append((lanes.ups[index], .up, index, 0))
            }
        case .recorder(let lanes):
            own = [
                try LaneWriter.format(
                    descriptor: lanes.state, kind: .state, index: 0, generation: launch.generation,
                    maximumRingBytes: limit)
            ]
            bells = []
        }
    }

    /// Whether somebody has rung since the last call.
    func hasRung() -> Bool {
        var hasRung = false
        for bell in bells {
            var byte: UInt8 = 0
            hasRung = recv(bell.descriptor, &byte, 1, Int32(MSG_DONTWAIT)) > 0 || hasRung
            bell.drain()
        }
        return hasRung
    }

    func beat() {
        for lane in own { lane.beat(MonotonicClock.nowNanoseconds()) }
    }

    /// Reads every lane to its head and says so.
    func readAll() {
        for (place, other) in others.enumerated() {
            if readers[place] == nil {
                readers[place] = try? LaneReader(descriptor: other.descriptor, kind: other.kind)
            }
            guard let reader = readers[place] else { continue }
            reader.seekToHead()
            own[other.own].setReadPosition(other.peer, generation: launch.generation, position: reader.position)
        }
    }

    /// A small record in each lane, so that there is always something to read.
    func write() {
        for lane in own {
            let empty: [UInt8] = [1]
            _ = try? lane.append(RecordType(rawValue: 200), empty.span.bytes)
        }
    }
}
