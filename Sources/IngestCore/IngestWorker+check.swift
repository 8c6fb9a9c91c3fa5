// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import RingMessages
import Rings
import WorkerLink

extension IngestWorker {
    /// Whether what it has been given can be served with, without touching it: for a worker that stands by while its
    /// predecessor still writes the ring. A ring of another layout version is no flaw: it is begun anew.
    public static func check(_ launch: WorkerLaunch) throws {
        guard case .ingest(let rings) = launch.descriptors.rings else {
            throw WorkerLaunchError("fodc-ingest was started as \(launch.name)")
        }
        guard InstallationSecret.byteCount == launch.secret.count else {
            throw WorkerLaunchError("the secret has \(launch.secret.count) bytes")
        }
        _ = try WorkerTableReader(descriptor: launch.descriptors.control)
        for (name, descriptor) in [
            ("the data ring", rings.dataRing), ("command ring A", rings.commandA), ("command ring B", rings.commandB),
        ] {
            guard RingFile.isRing(descriptor) else { throw WorkerLaunchError("\(name) is not memory of a ring") }
        }
        for listener in launch.descriptors.listeners where option(SO_ACCEPTCONN, of: listener) != 1 {
            throw WorkerLaunchError("the listener is not a listening socket")
        }
        try AgentsTLS.check(launch.settings)
        for (name, descriptor) in [("A", rings.wakeupA), ("B", rings.wakeupB)] {
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
