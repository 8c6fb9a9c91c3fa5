// SPDX-License-Identifier: Apache-2.0
import Platform
import Settings

/// The two listening sockets. They are the supervisor's, so that they outlive every worker: while one is replaced,
/// connections wait in the backlog.
struct Listeners {
    struct Socket: Equatable {
        let descriptor: Int32
        /// Under which systemd keeps it; `nil`: it is that of a socket unit, which systemd keeps by itself.
        let name: StoredName?
    }

    var grpc: Socket
    var http: Socket

    /// Opens those that are not there yet; if one fails, none of the new ones stays open.
    ///
    /// - Parameters:
    ///   - generation: of the new ones.
    ///   - mayWait: for a resolver, when a host is a name.
    static func open(
        _ settings: ProxySettings, grpc: Socket?, http: Socket?, generation: UInt64, mayWait: Bool = true
    ) throws(StartError) -> Listeners {
        func open(_ role: StoredName.Role, _ address: ListenAddress, _ flag: SettingsFlag) throws(StartError) -> Socket
        {
            Socket(
                descriptor: try Self.open(address, flag, mayWait: mayWait),
                name: StoredName(role, generation: generation))
        }
        let opened: Socket
        if let grpc { opened = grpc } else { opened = try open(.grpc, settings.grpcListenAddress, .grpcListenAddress) }
        do throws(StartError) {
            if let http { return Listeners(grpc: opened, http: http) }
            return Listeners(grpc: opened, http: try open(.http, settings.httpListenAddress, .httpListenAddress))
        } catch {
            if grpc == nil { MemoryFile.close(opened.descriptor) }
            throw error
        }
    }

    var all: [Socket] { [grpc, http] }

    /// `gRPC [::]:17912, HTTP [::]:17913`: what they really are, with the ports that the kernel has chosen.
    var text: String { "gRPC \(grpcAddress), HTTP \(httpAddress)" }
    var grpcAddress: String { ListeningSocket.localAddress(of: grpc.descriptor) ?? "?" }
    var httpAddress: String { ListeningSocket.localAddress(of: http.descriptor) ?? "?" }

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
