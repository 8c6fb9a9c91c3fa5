// SPDX-License-Identifier: Apache-2.0
import Platform
import Settings

/// The listening sockets. They are the supervisor's, so that they outlive every worker: while one is replaced,
/// connections wait in the backlog.
struct Listeners {
    struct Socket: Equatable {
        let descriptor: Int32
        /// Under which systemd keeps it; `nil`: it is that of a socket unit, which systemd keeps by itself.
        let name: StoredDescriptorName?
    }

    private var sockets: [StoredDescriptorName.Role: Socket]

    init(_ sockets: [StoredDescriptorName.Role: Socket]) {
        self.sockets = sockets
    }

    subscript(_ role: StoredDescriptorName.Role) -> Socket? {
        get { sockets[role] }
        set { sockets[role] = newValue }
    }

    /// Opens those of the settings that are not there yet; if one fails, none of the new ones stays open.
    ///
    /// - Parameters:
    ///   - present: what is there; a place that the settings do not have is left out.
    ///   - generation: of the new ones.
    ///   - mayWait: for a resolver, when a host is a name.
    static func open(
        _ settings: ProxySettings, present: [StoredDescriptorName.Role: Socket], generation: UInt64,
        mayWait: Bool = true
    ) throws(StartError) -> Listeners {
        var (sockets, opened): ([StoredDescriptorName.Role: Socket], [Int32]) = ([:], [])
        for place in ListeningPlace.all {
            guard let address = place.address(settings) else { continue }
            if let socket = present[place.role] {
                sockets[place.role] = socket
                continue
            }
            do throws(StartError) {
                let descriptor = try Self.open(address, place.flag, mayWait: mayWait)
                opened.append(descriptor)
                sockets[place.role] = Socket(
                    descriptor: descriptor, name: StoredDescriptorName(place.role, generation: generation))
            } catch {
                for descriptor in opened { MemoryFile.close(descriptor) }
                throw error
            }
        }
        return Listeners(sockets)
    }

    var all: [Socket] { ListeningPlace.all.compactMap { sockets[$0.role] } }

    /// `gRPC [::]:17912, HTTP [::]:17913`: what they really are, with the ports that the kernel has chosen.
    var text: String {
        ListeningPlace.all.compactMap { place in address(place.role).map { "\(place.title) \($0)" } }
            .joined(separator: ", ")
    }

    /// Where it is really listened; `nil`: nowhere.
    func address(_ role: StoredDescriptorName.Role) -> String? {
        sockets[role].map { ListeningSocket.localAddress(of: $0.descriptor) ?? "?" }
    }

    private static func open(
        _ address: ListenAddress, _ flag: SettingsFlag, mayWait: Bool
    ) throws(StartError) -> Int32 {
        do throws(ListeningSocket.Failure) {
            return try ListeningSocket.open(host: address.host, port: address.port, mayWait: mayWait)
        } catch {
            let remedy =
                switch error {
                case .inUse:
                    "stop the process that listens there (ss -ltnp 'sport = :\(address.port)' shows it) or choose another port"
                case .notHere: "choose an address of this machine, or :\(address.port) for all of them"
                case .notAllowed: "choose a port from 1024 on, or give this user CAP_NET_BIND_SERVICE"
                case .unknownHost: "choose an address of this machine, or :\(address.port) for all of them"
                case .isName:
                    "a reload resolves no names, because that can take long: give the address, or restart the service"
                case .other: "choose another address"
                }
            throw StartError(
                "\(flag.option): cannot listen on \(address): \(error); \(remedy)",
                error == .inUse ? .portInUse : .other)
        }
    }
}
