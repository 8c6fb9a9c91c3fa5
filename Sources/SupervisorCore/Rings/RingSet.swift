// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings
import WorkerLink

/// All memory that must outlive workers, and the wakeup channels between them. Rings are added and removed at the end.
final class RingSet {
    /// Exporters of even generation use the first of each pair, those of odd generation the second.
    static let parities = 2

    private(set) var ingest: [IngestRings] = []
    let state: Ring
    /// The recorder's own: its heartbeat, and what it says of itself.
    let recorder: Ring
    let recorderGauge: RingGauge
    /// The installation's secret: to keep, and read-only for the workers.
    let secret: Ring
    /// The next ring's; rises for ever, so that of two of a name the newer one is known.
    private(set) var nextGeneration: UInt64

    /// - Parameter nextGeneration: larger than that of every ring that was ever stored.
    init(state: Ring, recorder: Ring, secret: Ring, ingest: [IngestRings], nextGeneration: UInt64) {
        self.state = state
        self.recorder = recorder
        recorderGauge = RingGauge(recorder, kind: .state)
        self.secret = secret
        self.ingest = ingest
        self.nextGeneration = nextGeneration
    }

    static func makeSecret(_ bytes: [UInt8], generation: UInt64) throws(SystemError) -> Ring {
        let writable = try MemoryFile.create(name: "fodc-secret", byteCount: bytes.count)
        do throws(SystemError) {
            try SmallFile.writeAll(bytes, to: writable, name: "fodc-secret")
            return try Ring(StoredDescriptorName(.secret, 0, generation: generation), writable: writable)
        } catch {
            MemoryFile.close(writable)
            throw error
        }
    }

    /// Empty rings for one worker more.
    @discardableResult
    func append() throws(SystemError) -> IngestRings {
        let (index, generation) = (ingest.count, nextGeneration)
        var made: [Ring] = []
        do throws(SystemError) {
            made.append(try Ring(StoredDescriptorName(.data, index, generation: generation), kind: .data))
            for role in [StoredDescriptorName.Role.commandA, .commandB] {
                made.append(try Ring(StoredDescriptorName(role, index, generation: generation), kind: .command))
            }
            let rings = try IngestRings(index: index, dataRing: made[0], commandRings: Array(made.dropFirst()))
            ingest.append(rings)
            nextGeneration += 1
            return rings
        } catch {
            for ring in made { ring.close() }
            throw error
        }
    }

    /// Takes the last worker's rings out; the caller closes them.
    func removeLast() -> IngestRings {
        ingest.removeLast()
    }

    /// All that is kept for a successor of the supervisor.
    var all: [Ring] { [state, recorder, secret] + ingest.flatMap(\.all) }

    /// Wakes every worker that runs, so that it looks at what the supervisor has changed. Wakeup channels of workers that are dead
    /// fill up and then do nothing.
    func wakeAll() {
        for rings in ingest { rings.wake() }
    }

    /// Descriptors of an ingest worker, to be numbered by `plan`.
    func ingestRings(_ index: Int, _ plan: inout DescriptorPlan) -> WorkerDescriptors.Rings {
        var others: [WorkerDescriptors.OtherRing] = []
        for other in ingest where other.index != index {
            others.append(.init(index: other.index, descriptor: plan.add(other.dataRing.readable)))
        }
        let own = ingest[index]
        return .ingest(
            .init(
                dataRing: plan.add(own.dataRing.writable), commandA: plan.add(own.commandRings[0].readable),
                commandB: plan.add(own.commandRings[1].readable),
                wakeupA: plan.add(own.wakeups[0].ingestEnd.descriptor),
                wakeupB: plan.add(own.wakeups[1].ingestEnd.descriptor), otherDataRings: others))
    }

    /// Descriptors of the exporter of this parity.
    func exporterRings(parity: Int, _ plan: inout DescriptorPlan) -> WorkerDescriptors.Rings {
        .exporter(
            .init(
                dataRings: ingest.map { plan.add($0.dataRing.readable) },
                commandRings: ingest.map { plan.add($0.commandRings[parity].writable) },
                wakeups: ingest.map { plan.add($0.wakeups[parity].exporterEnd.descriptor) },
                state: plan.add(state.writable), recorderState: plan.add(recorder.readable)))
    }

    /// Descriptors of the recorder.
    func recorderRings(_ plan: inout DescriptorPlan) -> WorkerDescriptors.Rings {
        .recorder(
            .init(
                dataRings: ingest.map { plan.add($0.dataRing.readable) }, state: plan.add(recorder.writable),
                exporterState: plan.add(state.readable)))
    }
}
