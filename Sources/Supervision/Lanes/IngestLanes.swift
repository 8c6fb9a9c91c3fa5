// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import WorkerLink

/// The rings between one ingest worker and the exporters: its lane, two for commands, and the wakeup channels.
final class IngestLanes {
    /// Both ends of the line between the ingest worker and the exporter of one parity.
    struct Bell {
        let ingestEnd: Doorbell
        let exporterEnd: Doorbell
    }

    let index: Int
    let up: Lane
    /// By the parity of the exporter's generation.
    let downs: [Lane]
    let bells: [Bell]
    let upGauge: LaneGauge
    let downGauges: [LaneGauge]

    init(index: Int, up: Lane, downs: [Lane], bells: [Bell]? = nil) throws(SystemError) {
        precondition(downs.count == LaneSet.parities, "an ingest worker has a command lane for each parity")
        self.index = index
        self.up = up
        self.downs = downs
        if let bells { self.bells = bells } else { self.bells = try Self.makeBells() }
        upGauge = LaneGauge(up, kind: .up)
        downGauges = downs.map { LaneGauge($0, kind: .down) }
    }

    private static func makeBells() throws(SystemError) -> [Bell] {
        var bells: [Bell] = []
        for _ in 0..<LaneSet.parities {
            let (ingestEnd, exporterEnd) = try Doorbell.makePair()
            bells.append(Bell(ingestEnd: ingestEnd, exporterEnd: exporterEnd))
        }
        return bells
    }

    var all: [Lane] { [up] + downs }

    func ring() {
        for bell in bells {
            bell.ingestEnd.ring()
            bell.exporterEnd.ring()
        }
    }

    /// The descriptors that an exporter of this parity, or another ingest worker (`nil`), is sent when there are these lanes.
    func descriptors(parity: Int?) -> LaneDescriptors {
        guard let parity else { return LaneDescriptors(up: up.readable) }
        return LaneDescriptors(
            up: up.readable, down: downs[parity].writable, bell: bells[parity].exporterEnd.descriptor)
    }

    func close() {
        for lane in all { lane.close() }
        for bell in bells {
            MemoryFile.close(bell.ingestEnd.descriptor)
            MemoryFile.close(bell.exporterEnd.descriptor)
        }
    }
}
