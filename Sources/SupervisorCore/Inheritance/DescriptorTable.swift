// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import WorkerLink

/// Descriptors that travel to the next program or start, by name: after an exec with the numbers that they have, after a
/// restart with those that systemd gives them.
struct DescriptorTable {
    /// Descriptors that only an exec passes on: they belong to processes that are alive.
    enum Name: CustomStringConvertible {
        case lock, control, reply
        case pidfd(FleetProcess.ID)
        case link(FleetProcess.ID)
        case wakeup(index: Int, parity: Int, isIngestEnd: Bool)
        case program(WorkerRole)
        /// The socket that is listened on until all workers are replaced; its own name, if systemd has it under one.
        case previous(StoredDescriptorName.Role)

        var description: String {
            switch self {
            case .lock: "own/lock"
            case .control: "own/control"
            case .reply: "own/reply"
            case .pidfd(let id): "own/pidfd.\(id)"
            case .link(let id): "own/link.\(id)"
            case .wakeup(let index, let parity, let isIngestEnd):
                "own/wakeup channel.\(index).\(parity).\(isIngestEnd ? "ingest" : "exporter")"
            case .program(let role): "own/program.\(role.rawValue)"
            case .previous(let role): "own/previous.\(role.rawValue)"
            }
        }
    }

    static let ownPrefix = "own/"

    private let own: [String: Int32]
    /// Those that systemd knows, or could: see ``StoreContents``.
    let stored: [ReceivedDescriptor]

    init(_ received: [ReceivedDescriptor]) {
        own = received.reduce(into: [:]) {
            if $1.name.hasPrefix(Self.ownPrefix) { $0[$1.name] = $1.descriptor }
        }
        stored = received.filter { !$0.name.hasPrefix(Self.ownPrefix) }
    }

    func descriptor(_ name: Name) -> Int32? { own[name.description] }

    /// No program that this one starts has them.
    func closeOnExec() {
        for descriptor in own.values.map({ $0 }) + stored.map(\.descriptor) {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }
}
