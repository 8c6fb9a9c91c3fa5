// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Settings

/// The command line. Values are only collected here; what they mean and may be is `ProxySettings`' business, so that the
/// environment's values go through the same checks.
struct ProxyFlags: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fodc-proxy",
        abstract: "Gathers what BanyanDB's FODC agents know, and serves it to Prometheus and people.",
        usage: "fodc-proxy [--flag VALUE | --flag=VALUE]...",
        discussion: """
            Agents connect by gRPC to port 17912, Prometheus scrapes http://HOST:17913/metrics. Without any flag it \
            serves on these ports of every address:

              fodc-proxy
              fodc-proxy --http-listen-addr=127.0.0.1:17913 --stale-grace=30s
              FODC_MAX_AGENTS=5000 fodc-proxy --ingest-workers=4 --log-format=json

            Every flag can also come from the environment: --max-agents is FODC_MAX_AGENTS. A flag wins over the \
            environment, an empty variable counts as none.

            Durations are written as in Go: 250ms, 15s, 1h30m. Sizes are in bytes or with a unit: 33554432, 80MiB, 2GiB. \
            Addresses are :PORT, HOST:PORT or [IPV6]:PORT.

            Exit codes: 0 ended by SIGTERM or SIGINT, 1 could not start or go on, 2 wrong usage.
            """,
        version: "fodc-proxy \(ProxyVersion.current)")

    @OptionGroup(title: "Where to listen") var listening: ListeningFlags
    @OptionGroup(title: "Agents") var agents: AgentFlags
    @OptionGroup(title: "HTTP") var http: HTTPFlags
    @OptionGroup(title: "Processes and memory") var processes: ProcessFlags
    @OptionGroup(title: "Log") var log: LogFlags

    @Option(
        name: .customLong("libexec-dir"), parsing: .unconditional,
        help: ArgumentHelp("Folder of fodc-ingest and fodc-exporter.", visibility: .hidden))
    var libexecDirectory: String?

    /// What was typed.
    var given: [(flag: SettingsFlag, value: String)] {
        let values: [(SettingsFlag, String?)] = [
            (.grpcListenAddress, listening.grpc), (.httpListenAddress, listening.http),
            (.agentHeartbeatTimeout, agents.heartbeatTimeout), (.agentCleanupTimeout, agents.cleanupTimeout),
            (.maxAgents, agents.maximum), (.grpcMaxMessageSize, agents.maxMessageSize),
            (.heartbeatInterval, agents.heartbeatInterval), (.staleGrace, agents.staleGrace),
            (.lifecycleInterval, agents.lifecycleInterval), (.spoolDirectory, http.spoolDirectory),
            (.spoolMaxSize, http.spoolMaxSize),
            (.httpReadTimeout, http.readTimeout), (.httpWriteTimeout, http.writeTimeout),
            (.ingestWorkers, processes.ingestWorkers), (.ringMaxSize, processes.ringMaxSize),
            (.stateDirectory, processes.stateDirectory), (.runtimeDirectory, processes.runtimeDirectory),
            (.logLevel, log.level), (.logFormat, log.format),
        ]
        return values.compactMap { flag, value in value.map { (flag, $0) } }
    }
}
