// SPDX-License-Identifier: Apache-2.0
import Settings

/// One of the places where the service may listen, by the role of its socket.
struct ListeningPlace: Sendable {
    let role: StoredDescriptorName.Role
    let flag: SettingsFlag
    /// As status lines call it.
    let title: String
    /// `nil`: it is not listened on.
    let address: @Sendable (ProxySettings) -> ListenAddress?

    /// In place of an address where it is not listened.
    static let none = "none"

    /// In the order of status lines.
    static let all = [
        ListeningPlace(role: .grpc, flag: .grpcListenAddress, title: "gRPC") { $0.grpcListenAddress },
        ListeningPlace(role: .grpcTLS, flag: .grpcTLSListenAddress, title: "gRPC with TLS") { $0.grpcTLSListenAddress },
        ListeningPlace(role: .http, flag: .httpListenAddress, title: "HTTP") { $0.httpListenAddress },
    ]

    /// `nil` for a role that is not that of a socket.
    static func of(_ role: StoredDescriptorName.Role) -> ListeningPlace? { all.first { $0.role == role } }
}
