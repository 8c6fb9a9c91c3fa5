// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Platform

extension Handover {
    /// What was handed over, as it was; lanes of another layout, too, which nobody can read but whose workers live on.
    func makeEstate() throws(StartError) -> Estate {
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        do {
            guard let control = lane(.control), let state = lane(.state), let secret = lane(.secret) else {
                throw SystemError(call: "looking for the lanes that were handed over", code: ENOENT)
            }
            var ingest: [IngestLanes] = []
            while let up = lane(.up, ingest.count), let a = lane(.downA, ingest.count),
                let b = lane(.downB, ingest.count)
            {
                let index = ingest.count
                let ends = bells.filter { $0.index == index }.sorted { $0.parity < $1.parity }.map {
                    IngestLanes.Bell(
                        ingestEnd: Doorbell(descriptor: $0.ingestEnd), exporterEnd: Doorbell(descriptor: $0.exporterEnd)
                    )
                }
                guard ends.count == LaneSet.parities else {
                    throw SystemError(call: "looking for the doorbells that were handed over", code: ENOENT)
                }
                ingest.append(
                    try IngestLanes(
                        index: index, up: Lane(up.name, writable: up.writable),
                        downs: [Lane(a.name, writable: a.writable), Lane(b.name, writable: b.writable)], bells: ends))
            }
            let lanes = LaneSet(
                state: try Lane(state.name, writable: state.writable),
                secret: try Lane(secret.name, writable: secret.writable), ingest: ingest,
                nextGeneration: nextGeneration)
            let names =
                lanes.all.map(\.name) + [control.name]
                + [previousGRPC ?? grpc, previousHTTP ?? http].compactMap(\.name)
            return Estate(
                listeners: Listeners(grpc: grpc, http: http), lanes: lanes, layout: layout,
                control: try ControlBoard(control.name, writable: control.writable),
                storedNames: Set(names.map(\.description)), obsoleteNames: obsoleteNames)
        } catch {
            throw StartError("what the program before this one has handed over is not usable: \(error)")
        }
    }
}
