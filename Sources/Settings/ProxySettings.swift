// SPDX-License-Identifier: Apache-2.0
import Platform

/// The values of the flags, typed and checked. A value is made by ``resolve(flags:environment:machine:)``, and travels to
/// the workers as text (``flagValues``, ``init(flagValues:)``).
public struct ProxySettings: Equatable, Sendable {
    /// Where agents connect (gRPC without TLS); nil: nowhere.
    public internal(set) var grpcListenAddress: ListenAddress? = ListenAddress(host: nil, port: 17912)
    /// Where agents connect with TLS; nil: nowhere.
    public internal(set) var grpcTLSListenAddress: ListenAddress?
    /// Where Prometheus and people ask (HTTP).
    public internal(set) var httpListenAddress = ListenAddress(host: nil, port: 17913)
    /// An agent that has sent no heartbeat for so long is unconnected.
    public internal(set) var agentHeartbeatTimeout = Duration.seconds(30)
    /// An agent that has been unconnected for so long is listed no more.
    public internal(set) var agentCleanupTimeout = Duration.seconds(300)
    /// Agents that may be listed at a time, over all workers.
    public internal(set) var maxAgents = 1000
    /// Agents that one connection may register; 0: no limit.
    public internal(set) var maxAgentsPerConnection = 256
    /// Agents that may be online from one network address; 0: no limit; nil: half of ``maxAgents``, and no limit for the
    /// loopback address, from which the sidecar of a service mesh brings all agents.
    public internal(set) var maxAgentsPerSource: Int?
    /// Bytes of one gRPC message, in both directions.
    public internal(set) var grpcMaxMessageBytes = 32 * ByteSize.mebibyte
    /// Certificate (with what leads to its authority) and key of the agents' TLS listener; set where that is.
    public internal(set) var grpcTLSCertificateFile: String?
    public internal(set) var grpcTLSKeyFile: String?
    /// The authorities that sign agents' certificates; set where these are asked for.
    public internal(set) var grpcTLSClientAuthorityFile: String?
    /// Whether agents present certificates.
    public internal(set) var grpcTLSClientAuth = GRPCClientAuth.none
    /// Which certificate may register which pod; nil: each any.
    public internal(set) var grpcAgentIdentity: AgentIdentityPattern?
    /// Where agents' connections may come from; nil: anywhere.
    public internal(set) var grpcAllowFrom: AddressRanges?
    /// The longest time that reading one HTTP request may take.
    public internal(set) var httpReadTimeout = Duration.seconds(10)
    /// The longest time without progress in writing an HTTP answer.
    public internal(set) var httpWriteTimeout = Duration.seconds(10)
    /// The file that says TLS and users of the HTTP port, if there is one.
    public internal(set) var webConfigFile: String?
    /// The file of bearer tokens of the HTTP port, if there is one.
    public internal(set) var httpTokensFile: String?
    /// Where HTTP connections may come from; nil: anywhere.
    public internal(set) var httpAllowFrom: AddressRanges?
    /// Nobody is told the status at `/health` without credentials, where others need them.
    public internal(set) var healthRequiresAuth = false
    /// How often agents are told to send heartbeats.
    public internal(set) var heartbeatInterval = Duration.seconds(10)
    /// Number of ingest processes.
    public internal(set) var ingestWorkers = 1
    /// Bytes that the data ring of one ingest worker may grow to.
    public internal(set) var ringMaxBytes = 2 * ByteSize.gibibyte
    /// How long last-known values serve after a loss; zero: never.
    public internal(set) var staleGrace = Duration.seconds(15)
    /// How often the exporter collects lifecycle reports of its own accord; zero: never.
    public internal(set) var lifecycleInterval = Duration.seconds(300)
    /// Folder for what clients of downloads have not taken yet; nil: the system's temporary folder.
    public internal(set) var spoolDirectory: String?
    /// Bytes that may lie there, all downloads together.
    public internal(set) var spoolMaxBytes = ByteSize.gibibyte
    /// Folder for what must survive the service, if there is one.
    public internal(set) var stateDirectory: String?
    /// How often a node's samples are recorded in the black box; zero: there is no recorder.
    public internal(set) var recordInterval = Duration.seconds(10)
    /// Folder of the black box; nil: nothing is recorded.
    public internal(set) var blackBoxDirectory: String?
    /// Bytes of the black box, all in all.
    public internal(set) var blackBoxMaxBytes = ByteSize.gibibyte
    /// Samples are kept for so long.
    public internal(set) var blackBoxMaxAge = Duration.seconds(7 * 24 * 3600)
    /// Bytes of stored profiles.
    public internal(set) var blackBoxProfilesMaxBytes = 512 * ByteSize.mebibyte
    /// Incidents that are kept, the newest first.
    public internal(set) var blackBoxIncidents = 1000
    /// Folder for what lives as long as the service, if there is one.
    public internal(set) var runtimeDirectory: String?
    /// Behaviour where a part of the processes' sandbox is missing.
    public internal(set) var sandbox = SandboxMode.bestEffort
    /// Whether a process that dies of a fault may leave a core.
    public internal(set) var coreDumps = CoreDumps.off
    public internal(set) var logLevel = LogLevel.info
    public internal(set) var logFormat = LogFormat.text

    /// Whether there is to be a recorder.
    public var records: Bool { recordInterval != .zero && blackBoxDirectory != nil }

    /// Whether workers read files that the settings name, and cannot serve without them.
    public var namesFiles: Bool { webConfigFile != nil || httpTokensFile != nil }

    /// The defaults of a machine without limits and with one CPU; also what the workers' tests start from.
    public init() {}
}
