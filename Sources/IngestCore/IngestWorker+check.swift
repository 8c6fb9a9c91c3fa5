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
            ("the data ring", lanes.up), ("command ring A", lanes.downA), ("command ring B", lanes.downB),
        ] {
            guard LaneFile.isLane(descriptor) else { throw WorkerLaunchError("\(name) is not memory of a ring") }
        }
        guard option(SO_ACCEPTCONN, of: launch.descriptors.listener) == 1 else {
            throw WorkerLaunchError("the listener is not a listening socket")
        }
        for (name, descriptor) in [("A", lanes.bellA), ("B", lanes.bellB)] {
            guard option(SO_TYPE, of: descriptor) != nil else {
                throw WorkerLaunchError("wakeup channel \(name) is not a socket")
            }
        }
    }

    /// `nil` when it is not a socket.
    private static func option(_ name: CInt, of socket: Int32) -> CInt? {
        var value: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
    }
}
