// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings
import WorkerLink

/// The rings between one ingest worker and the exporters: its ring, two for commands, and the wakeup channels.
final class IngestRings {
    /// Both ends of the line between the ingest worker and the exporter of one parity.
    struct Wakeup {
        let ingestEnd: WakeupChannel
        let exporterEnd: WakeupChannel
    }

    let index: Int
    let dataRing: Ring
    /// By the parity of the exporter's generation.
    let commandRings: [Ring]
    let wakeups: [Wakeup]
    let dataGauge: RingGauge
    let commandGauges: [RingGauge]

    init(index: Int, dataRing: Ring, commandRings: [Ring], wakeups: [Wakeup]? = nil) throws(SystemError) {
        precondition(commandRings.count == RingSet.parities, "an ingest worker has a command ring for each parity")
        self.index = index
        self.dataRing = dataRing
        self.commandRings = commandRings
        if let wakeups { self.wakeups = wakeups } else { self.wakeups = try Self.makeWakeups() }
        dataGauge = RingGauge(dataRing, kind: .data)
        commandGauges = commandRings.map { RingGauge($0, kind: .command) }
    }

    private static func makeWakeups() throws(SystemError) -> [Wakeup] {
        var wakeups: [Wakeup] = []
        for _ in 0..<RingSet.parities {
            let (ingestEnd, exporterEnd) = try WakeupChannel.makePair()
            wakeups.append(Wakeup(ingestEnd: ingestEnd, exporterEnd: exporterEnd))
        }
        return wakeups
    }

    var all: [Ring] { [dataRing] + commandRings }

    func wake() {
        for wakeup in wakeups {
            wakeup.ingestEnd.wake()
            wakeup.exporterEnd.wake()
        }
    }

    /// The descriptors that an exporter of this parity, or another ingest worker (`nil`), is sent when there are these rings.
    func descriptors(parity: Int?) -> RingDescriptors {
        guard let parity else { return RingDescriptors(dataRing: dataRing.readable) }
        return RingDescriptors(
            dataRing: dataRing.readable, commandRing: commandRings[parity].writable,
            wakeup: wakeups[parity].exporterEnd.descriptor)
    }

    func close() {
        for ring in all { ring.close() }
        for wakeup in wakeups {
            MemoryFile.close(wakeup.ingestEnd.descriptor)
            MemoryFile.close(wakeup.exporterEnd.descriptor)
        }
    }
}
