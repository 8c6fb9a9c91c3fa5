// SPDX-License-Identifier: Apache-2.0
import Exchange
import Glibc
import Lanes
import Platform
import WorkerLink

extension IngestWorker {
    /// Whether what it has been given can be served with, without touching it: for a worker that stands by while its
    /// predecessor still writes the lane. A lane of another layout version is no flaw: it is begun anew.
    public static func check(_ launch: WorkerLaunch) throws {
        guard case .ingest(let lanes) = launch.descriptors.lanes else {
            throw WorkerLaunchError("fodc-ingest was started as \(launch.name)")
        }
        guard InstallationSecret.byteCount == launch.secret.count else {
            throw WorkerLaunchError("the secret has \(launch.secret.count) bytes")
        }
        _ = try ControlReader(descriptor: launch.descriptors.control)
        for (name, descriptor) in [
            ("its own lane", lanes.up), ("down lane A", lanes.downA), ("down lane B", lanes.downB),
        ] {
            guard LaneFile.isLane(descriptor) else { throw WorkerLaunchError("\(name) is no memory of a lane") }
        }
        guard option(SO_ACCEPTCONN, of: launch.descriptors.listener) == 1 else {
            throw WorkerLaunchError("the listener is no listening socket")
        }
        for (name, descriptor) in [("A", lanes.bellA), ("B", lanes.bellB)] {
            guard option(SO_TYPE, of: descriptor) != nil else {
                throw WorkerLaunchError("doorbell \(name) is no socket")
            }
        }
    }

    /// `nil` when it is no socket.
    private static func option(_ name: CInt, of socket: Int32) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
    }
}
