// SPDX-License-Identifier: Apache-2.0

/// The attributes that an agent registers with, and that it labels its series with.
public struct SimulatedIdentity: Sendable, Equatable {
    public let index: Int
    public let kind: NodeKind
    public let podName: String

    public var nodeRole: String { kind.nodeRole }
    public var containerNames: [String] { kind.containerNames }

    /// The labels of the registration, which the proxy puts on every series as `node_…`.
    public var registrationLabels: [String: String] {
        kind.typeLabels.merging(["zone": Self.zones[index % Self.zones.count]]) { own, _ in own }
    }

    /// - Parameter index: 0 or more; the same index is the same node in every process with the same mix and prefix.
    public init(index: Int, mix: RoleMix, podPrefix: String) {
        let (kind, ordinal) = mix.place(of: index)
        self.index = index
        self.kind = kind
        podName = "\(podPrefix)-\(kind.podInfix)-\(ordinal)"
    }

    private static let zones = ["a", "b", "c"]
}
