// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import WorkerLink

/// All memory that must outlive workers, and the wakeup channels between them. Lanes are added and removed at the end.
final class LaneSet {
    /// Exporters of even generation use the first of each pair, those of odd generation the second.
    static let parities = 2

    private(set) var ingest: [IngestLanes] = []
    let state: Lane
    /// The recorder's own: its heartbeat, and what it says of itself.
    let recorder: Lane
    let recorderGauge: LaneGauge
    /// The installation's secret: to keep, and read-only for the workers.
    let secret: Lane
    /// The next lane's; rises for ever, so that of two of a name the newer one is known.
    private(set) var nextGeneration: UInt64

    /// - Parameter nextGeneration: larger than that of every lane that was ever stored.
    init(state: Lane, recorder: Lane, secret: Lane, ingest: [IngestLanes], nextGeneration: UInt64) {
        self.state = state
        self.recorder = recorder
        recorderGauge = LaneGauge(recorder, kind: .state)
        self.secret = secret
        self.ingest = ingest
        self.nextGeneration = nextGeneration
    }

    static func makeSecret(_ bytes: [UInt8], generation: UInt64) throws(SystemError) -> Lane {
        let writable = try MemoryFile.create(name: "fodc-secret", byteCount: bytes.count)
        do throws(SystemError) {
            try SmallFile.writeAll(bytes, to: writable, name: "fodc-secret")
            return try Lane(StoredName(.secret, 0, generation: generation), writable: writable)
        } catch {
            MemoryFile.close(writable)
            throw error
        }
    }

    /// Empty lanes for one worker more.
    @discardableResult
    func append() throws(SystemError) -> IngestLanes {
        let (index, generation) = (ingest.count, nextGeneration)
        var made: [Lane] = []
        do throws(SystemError) {
            made.append(try Lane(StoredName(.up, index, generation: generation), kind: .up))
            for role in [StoredName.Role.downA, .downB] {
                made.append(try Lane(StoredName(role, index, generation: generation), kind: .down))
            }
            let lanes = try IngestLanes(index: index, up: made[0], downs: Array(made.dropFirst()))
            ingest.append(lanes)
            nextGeneration += 1
            return lanes
        } catch {
            for lane in made { lane.close() }
            throw error
        }
    }

    /// Takes the last worker's lanes out; the caller closes them.
    func removeLast() -> IngestLanes {
        ingest.removeLast()
    }

    /// All that is kept for a successor of the supervisor.
    var all: [Lane] { [state, recorder, secret] + ingest.flatMap(\.all) }

    /// Wakes every worker that runs, so that it looks at what the supervisor has changed. Bells of workers that are dead
    /// fill up and then do nothing.
    func ringAll() {
        for lanes in ingest { lanes.ring() }
    }

    /// Descriptors of an ingest worker, to be numbered by `plan`.
    func ingestLanes(_ index: Int, _ plan: inout DescriptorPlan) -> WorkerDescriptors.Lanes {
        var others: [WorkerDescriptors.OtherLane] = []
        for other in ingest where other.index != index {
            others.append(.init(index: other.index, descriptor: plan.add(other.up.readable)))
        }
        let own = ingest[index]
        return .ingest(
            .init(
                up: plan.add(own.up.writable), downA: plan.add(own.downs[0].readable),
                downB: plan.add(own.downs[1].readable), bellA: plan.add(own.bells[0].ingestEnd.descriptor),
                bellB: plan.add(own.bells[1].ingestEnd.descriptor), otherUps: others))
    }

    /// Descriptors of the exporter of this parity.
    func exporterLanes(parity: Int, _ plan: inout DescriptorPlan) -> WorkerDescriptors.Lanes {
        .exporter(
            .init(
                ups: ingest.map { plan.add($0.up.readable) }, downs: ingest.map { plan.add($0.downs[parity].writable) },
                bells: ingest.map { plan.add($0.bells[parity].exporterEnd.descriptor) },
                state: plan.add(state.writable)))
    }

    /// Descriptors of the recorder.
    func recorderLanes(_ plan: inout DescriptorPlan) -> WorkerDescriptors.Lanes {
        .recorder(.init(ups: ingest.map { plan.add($0.up.readable) }, state: plan.add(recorder.writable)))
    }
}
