// SPDX-License-Identifier: Apache-2.0
import Platform
import Settings

/// The two listening sockets. They are the supervisor's, so that they outlive every worker: while one is replaced,
/// connections wait in the backlog.
public struct Listeners: Sendable {
    public let grpc: Int32
    public let http: Int32

    /// Opens both; if one fails, neither stays open.
    public static func open(_ settings: ProxySettings) throws(StartError) -> Listeners {
        let grpc = try open(settings.grpcListenAddress, .grpcListenAddress)
        do throws(StartError) {
            return Listeners(grpc: grpc, http: try open(settings.httpListenAddress, .httpListenAddress))
        } catch {
            MemoryFile.close(grpc)
            throw error
        }
    }

    /// `gRPC [::]:17912, HTTP [::]:17913`: what they really are, with the ports that the kernel has chosen.
    public var text: String {
        "gRPC \(ListeningSocket.localAddress(of: grpc) ?? "?"), HTTP \(ListeningSocket.localAddress(of: http) ?? "?")"
    }

    private static func open(_ address: ListenAddress, _ flag: SettingsFlag) throws(StartError) -> Int32 {
        do throws(ListeningSocket.Failure) {
            return try ListeningSocket.open(host: address.host, port: address.port)
        } catch {
            let remedy =
                switch error {
                case .inUse:
                    "end who listens there (ss -ltnp 'sport = :\(address.port)' shows it) or choose another port"
                case .notHere: "choose an address of this machine, or :\(address.port) for all of them"
                case .notAllowed: "choose a port from 1024 on, or give this user CAP_NET_BIND_SERVICE"
                case .unknownHost: "choose an address of this machine, or :\(address.port) for all of them"
                case .other: "choose another address"
                }
            throw StartError("\(flag.option): cannot listen on \(address): \(error); \(remedy)")
        }
    }
}
