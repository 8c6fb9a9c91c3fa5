// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// How the nodes are configured. Without wished differences all nodes of one role say the same.
///
/// The first `differenceCount` of ``keys`` have another value on every second node of a role, in the order of the fleet;
/// so a role of which there is one node has no differences.
public enum NodeConfigurations {
    static let version = "0.10.0"

    public struct Key: Sendable {
        public let name: String
        let value: String
        let otherValue: String
        /// In force now; else a flag or variable of the start.
        let isRuntime: Bool

        init(_ name: String, _ value: String, other: String, isRuntime: Bool = false) {
            self.name = name
            self.value = value
            otherValue = other
            self.isRuntime = isRuntime
        }
    }

    /// Keys of all roles, in the order in which differences take them: of both kinds and a secret among the first.
    public static let keys = [
        Key("logging-level", "info", other: "debug"),
        Key("runtime.gomaxprocs", "4", other: "2", isRuntime: true),
        Key("BYDB_ETCD_PASSWORD", "simulated-secret-1", other: "simulated-secret-2"),
        Key("etcd-endpoints", "http://etcd-0:2379,http://etcd-1:2379", other: "http://etcd-0:2379"),
        Key("runtime.memory-limit-bytes", "4294967296", other: "2147483648", isRuntime: true),
        Key("max-recv-msg-size", "32MiB", other: "16MiB"),
        Key("observability-modes", "prometheus", other: "prometheus,native"),
        Key("runtime.gc-percent", "100", other: "50", isRuntime: true),
        Key("access-log-level", "off", other: "error"),
        Key("node-registry-timeout", "2m0s", other: "30s"),
        Key("runtime.log-sampling", "true", other: "false", isRuntime: true),
        Key("BYDB_TLS", "false", other: "true"),
    ]

    private static let liaisonParameters = [
        "grpc-port": "17912", "http-port": "17913", "stream-write-timeout": "1m0s", "measure-write-timeout": "1m0s",
        "schema-registry-mode": "property",
    ]
    private static let dataParameters = [
        "grpc-port": "17912", "measure-root-path": "/data", "stream-root-path": "/data", "trace-root-path": "/data",
        "measure-flush-timeout": "5s", "stream-flush-timeout": "1s", "max-disk-usage-percent": "95",
    ]

    /// Without the time at which it was collected.
    static func configuration(
        of node: ClusterNode, in cluster: SimulatedCluster, differenceCount: Int
    ) -> Fodc_Proxy_V1_NodeConfiguration {
        let isLiaison = node.identity.kind == .liaison
        let liaisonsBefore = cluster.mix.count(of: .liaison, among: node.identity.index)
        let rank = isLiaison ? liaisonsBefore : node.identity.index - liaisonsBefore
        var configuration = Fodc_Proxy_V1_NodeConfiguration()
        configuration.version = version
        configuration.startupParameters = isLiaison ? liaisonParameters : dataParameters
        for (position, key) in keys.enumerated() {
            let differs = position < differenceCount && !rank.isMultiple(of: 2)
            let value = differs ? key.otherValue : key.value
            if key.isRuntime {
                configuration.runtimeConfiguration[key.name] = value
            } else {
                configuration.startupParameters[key.name] = value
            }
        }
        return configuration
    }
}
