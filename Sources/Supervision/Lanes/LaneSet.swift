// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform
import WorkerLink

/// All memory that must outlive workers, and the doorbells between them: made once, held by the supervisor to its end.
public final class LaneSet {
    /// A lane's memory twice: to write, for its one writer, and to read, for everybody else.
    struct Lane {
        let writable: Int32
        let readable: Int32

        init(name: String, kind: LaneKind) throws(SystemError) {
            writable = try LaneFile.create(name: name, kind: kind)
            readable = try LaneFile.reopenReadOnly(writable)
        }
    }

    /// Both ends of the line between one ingest worker and the exporter of one parity.
    struct Bell {
        let ingestEnd: Doorbell
        let exporterEnd: Doorbell

        init() throws(SystemError) {
            (ingestEnd, exporterEnd) = try Doorbell.makePair()
        }
    }

    /// Exporters of even generation use the first of each pair, those of odd generation the second.
    static let parities = 2

    let ups: [Lane]
    /// By worker, then parity.
    let downs: [[Lane]]
    let bells: [[Bell]]
    let state: Lane
    /// Read-only.
    let secret: Int32

    /// Makes everything, or nothing: what was made before a failure goes with the process, which then ends.
    public init(ingestWorkers: Int, secret bytes: [UInt8]) throws(StartError) {
        do throws(SystemError) {
            var ups: [Lane] = []
            var downs: [[Lane]] = []
            var bells: [[Bell]] = []
            for index in 0..<ingestWorkers {
                ups.append(try Lane(name: "fodc-up-\(index)", kind: .up))
                var pair: [Lane] = []
                var ends: [Bell] = []
                for parity in ["a", "b"] {
                    pair.append(try Lane(name: "fodc-down-\(index)\(parity)", kind: .down))
                    ends.append(try Bell())
                }
                downs.append(pair)
                bells.append(ends)
            }
            (self.ups, self.downs, self.bells) = (ups, downs, bells)
            state = try Lane(name: "fodc-state", kind: .state)
            let writableSecret = try MemoryFile.create(name: "fodc-secret", byteCount: bytes.count)
            try SmallFile.writeAll(bytes, to: writableSecret, name: "fodc-secret")
            secret = try MemoryFile.reopenReadOnly(writableSecret)
            MemoryFile.close(writableSecret)
        } catch {
            throw StartError(
                "the lanes for \(ingestWorkers) ingest workers cannot be made (\(error)); give the service more memory "
                    + "or more descriptors, or fewer --ingest-workers")
        }
    }

    /// Wakes every worker that runs, so that it looks at what the supervisor has changed. Bells of workers that are dead
    /// fill up and then do nothing.
    func ringAll() {
        for pair in bells {
            for bell in pair {
                bell.ingestEnd.ring()
                bell.exporterEnd.ring()
            }
        }
    }

    /// Descriptors of an ingest worker, to be numbered by `plan`.
    func ingestLanes(_ index: Int, _ plan: inout DescriptorPlan) -> WorkerDescriptors.Lanes {
        var others: [WorkerDescriptors.OtherLane] = []
        for other in ups.indices where other != index {
            others.append(.init(index: other, descriptor: plan.add(ups[other].readable)))
        }
        return .ingest(
            .init(
                up: plan.add(ups[index].writable), downA: plan.add(downs[index][0].readable),
                downB: plan.add(downs[index][1].readable), bellA: plan.add(bells[index][0].ingestEnd.descriptor),
                bellB: plan.add(bells[index][1].ingestEnd.descriptor), otherUps: others))
    }

    /// Descriptors of the exporter of this parity.
    func exporterLanes(parity: Int, _ plan: inout DescriptorPlan) -> WorkerDescriptors.Lanes {
        .exporter(
            .init(
                ups: ups.map { plan.add($0.readable) }, downs: downs.map { plan.add($0[parity].writable) },
                bells: bells.map { plan.add($0[parity].exporterEnd.descriptor) }, state: plan.add(state.writable)))
    }
}
