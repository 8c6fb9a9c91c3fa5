// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings
import Settings
import WorkerLink

/// Descriptors from systemd at the start, sorted out and checked like any input: in each place the newest descriptor that
/// is what its name says. Everything else is to be dropped.
struct StoreContents {
    struct KeptDescriptor: Equatable {
        let name: StoredDescriptorName
        let descriptor: Int32
    }

    struct Dropped: Equatable {
        let name: String
        let descriptor: Int32
        /// The flaw, for the log; `nil`: another one is newer, or serves in its place.
        let reason: String?
        /// It is a sound socket, but the settings name another address by now.
        var isOfAnotherAddress = false
    }

    /// A socket that is taken although nobody can tell whether it listens where the settings say.
    struct Unchecked: Equatable {
        let name: String
        let flag: SettingsFlag
        let address: ListenAddress
        /// The resolver's reason.
        let reason: String
    }

    private(set) var kept: [StoredDescriptorName.Place: KeptDescriptor] = [:]
    private(set) var unchecked: [Unchecked] = []
    /// Sockets of socket units that are active, which systemd keeps itself.
    private(set) var unitSockets: [StoredDescriptorName.Role: Int32] = [:]
    private(set) var dropped: [Dropped] = []
    private let isExec: Bool

    /// - Parameters:
    ///   - given: flags whose values somebody has chosen; the address of a socket unit wins over a default.
    ///   - isExec: they were this process's own before an exec: where sockets listen is known.
    /// - Throws: when a socket unit listens elsewhere than where the settings say, or on two addresses: nobody can know
    ///   which of them was meant.
    init(
        _ received: [ReceivedDescriptor], settings: ProxySettings, given: Set<SettingsFlag>, isExec: Bool = false
    ) throws(StartError) {
        self.isExec = isExec
        var stored: [(name: StoredDescriptorName, descriptor: Int32)] = []
        for item in received {
            if let name = StoredDescriptorName(item.name) {
                stored.append((name, item.descriptor))
            } else if let role = StoredDescriptorName.Role(rawValue: item.name), let place = ListeningPlace.of(role) {
                try takeUnitSocket(place, item, settings, given)
            } else {
                drop(item.name, item.descriptor, "its name is unknown")
            }
        }
        // Newest first; the rest of the order only makes it the same each time.
        stored.sort {
            ($1.name.generation, $0.name.description, $0.descriptor)
                < ($0.name.generation, $1.name.description, $1.descriptor)
        }
        var seen: [DescriptorFacts.Identity: String] = [:]
        for (name, descriptor) in stored {
            // Descriptors that this process had before an exec are unchanged, also a ring that is damaged and in use.
            let flaw =
                isExec
                ? nil : name.place.role.isSocket ? socketFlaw(name, descriptor) : Self.flaw(name.place, descriptor)
            if let reason = flaw {
                drop(name.description, descriptor, reason)
            } else if name.place.role.isSocket, let reason = otherAddress(name, descriptor, settings) {
                dropped.append(
                    Dropped(name: name.description, descriptor: descriptor, reason: reason, isOfAnotherAddress: true))
            } else if kept[name.place] != nil || hasUnitSocket(name.place.role) {
                drop(name.description, descriptor, nil)
            } else if let identity = DescriptorFacts.identity(of: descriptor), let other = seen[identity] {
                // Two writers on one ring would be the end of both.
                drop(name.description, descriptor, "it is the same file as \(other)")
            } else {
                if let identity = DescriptorFacts.identity(of: descriptor) { seen[identity] = name.description }
                kept[name.place] = KeptDescriptor(name: name, descriptor: descriptor)
            }
        }
    }

    subscript(_ role: StoredDescriptorName.Role, _ index: Int = 0) -> KeptDescriptor? {
        kept[StoredDescriptorName.Place(role, index)]
    }

    /// How many were not what their names say.
    var refusedCount: Int { dropped.count { $0.reason != nil } }

    /// Names to be taken out of the store: those of what was dropped, but none that something kept bears, too.
    var namesToRemove: [String] {
        let keptNames = Set(kept.values.map(\.name.description))
        return Set(dropped.map(\.name)).subtracting(keptNames).filter(DescriptorStore.isName).sorted()
    }

    /// Closes what was dropped. To be called once.
    func closeDropped() {
        for item in dropped { MemoryFile.close(item.descriptor) }
    }

    private mutating func drop(_ name: String, _ descriptor: Int32, _ reason: String?) {
        dropped.append(Dropped(name: name, descriptor: descriptor, reason: reason))
    }

    private func hasUnitSocket(_ role: StoredDescriptorName.Role) -> Bool { unitSockets[role] != nil }

    // MARK: Socket units

    private mutating func takeUnitSocket(
        _ place: ListeningPlace, _ item: ReceivedDescriptor, _ settings: ProxySettings, _ given: Set<SettingsFlag>
    ) throws(StartError) {
        let flag = place.flag
        guard let address = place.address(settings) else {
            return drop(item.name, item.descriptor, "\(flag.option) is \"none\"")
        }
        if let flaw = ListeningSocket.flaw(of: item.descriptor) {
            return drop(item.name, item.descriptor, flaw)
        }
        let unit = "fodc-proxy-\(place.role.rawValue).socket"
        let local = ListeningSocket.localAddress(of: item.descriptor) ?? "?"
        guard !hasUnitSocket(place.role) else {
            throw StartError(
                "systemd hands over two sockets named \(place.role.rawValue), one of them on \(local); "
                    + "give \(unit) one ListenStream= only")
        }
        let binding =
            isExec ? .same : ListeningSocket.binding(of: item.descriptor, host: address.host, port: address.port)
        if case .unknown(let reason) = binding {
            unchecked.append(Unchecked(name: item.name, flag: flag, address: address, reason: reason))
        }
        guard binding != .other || !given.contains(flag) else {
            throw StartError(
                "systemd's socket \(place.role.rawValue) listens on \(local), but \(flag.option) is \(address); "
                    + "make ListenStream= of \(unit) the same, or do not set \(flag.option)")
        }
        guard (try? ListeningSocket.setNonblocking(item.descriptor)) != nil else {
            return drop(item.name, item.descriptor, "it cannot be made nonblocking")
        }
        unitSockets[place.role] = item.descriptor
    }

    // MARK: What was stored

    /// The reason why a descriptor is not the thing that its name says.
    private static func flaw(_ place: StoredDescriptorName.Place, _ descriptor: Int32) -> String? {
        if place.role == .secret { return secretFlaw(descriptor) }
        // Workers get read-only ones, which are made of this one.
        guard DescriptorFacts.access(of: descriptor) == .readWrite else { return "it cannot be read and written" }
        if place.role == .record { return SharedRecord.flaw(of: descriptor) }
        guard let kind = place.role.ringKind else { return WorkerTableFile.flaw(of: descriptor) }
        return RingFile.flaw(of: descriptor, kind: kind, index: place.index)
    }

    /// One that a newer or systemd's own stands in for is not looked at.
    private func isReplaced(_ name: StoredDescriptorName) -> Bool {
        kept[name.place] != nil || hasUnitSocket(name.place.role)
    }

    private func socketFlaw(_ name: StoredDescriptorName, _ descriptor: Int32) -> String? {
        guard !isReplaced(name) else { return nil }
        if let flaw = ListeningSocket.flaw(of: descriptor) { return flaw }
        return (try? ListeningSocket.setNonblocking(descriptor)) == nil ? "it cannot be made nonblocking" : nil
    }

    /// How a sound socket's address differs from that of the settings; `nil`: it does not.
    private mutating func otherAddress(
        _ name: StoredDescriptorName, _ descriptor: Int32, _ settings: ProxySettings
    ) -> String? {
        guard !isExec, !isReplaced(name), let place = ListeningPlace.of(name.place.role) else { return nil }
        let flag = place.flag
        guard let address = place.address(settings) else {
            let local = ListeningSocket.localAddress(of: descriptor) ?? "?"
            return "it listens on \(local), and \(flag.option) is \"none\" now"
        }
        switch ListeningSocket.binding(of: descriptor, host: address.host, port: address.port) {
        case .same: return nil
        case .other:
            let local = ListeningSocket.localAddress(of: descriptor) ?? "?"
            return "it listens on \(local), and \(flag.option) is \(address) now"
        case .unknown(let reason):
            // A name that nobody can tell now is no reason to refuse connections.
            unchecked.append(Unchecked(name: name.description, flag: flag, address: address, reason: reason))
            return nil
        }
    }

    private static func secretFlaw(_ descriptor: Int32) -> String? {
        guard MemoryFile.hasSealedSize(descriptor) else { return "it is not memory of sealed size" }
        guard DescriptorFacts.access(of: descriptor) != .writeOnly else { return "it cannot be read" }
        guard (try? MemoryFile.byteCount(of: descriptor)) == WorkerLaunch.secretBytes else {
            return "it does not have \(WorkerLaunch.secretBytes) bytes"
        }
        guard let copy = try? MemoryFile.duplicate(descriptor),
            let bytes = try? SmallFile.readAndClose(copy, limitBytes: WorkerLaunch.secretBytes)
        else { return "it cannot be read" }
        return bytes.allSatisfy { $0 == 0 } ? "it holds only zeros" : nil
    }
}
