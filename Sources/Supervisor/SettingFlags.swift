// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Settings

/// All flags that are settings, for a start and for `ctl reload`.
struct SettingFlags: ParsableArguments {
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
            (.maxAgents, agents.maximum), (.maxAgentsPerConnection, agents.maximumPerConnection),
            (.maxAgentsPerSource, agents.maximumPerSource), (.grpcMaxMessageSize, agents.maxMessageSize),
            (.heartbeatInterval, agents.heartbeatInterval), (.staleGrace, agents.staleGrace),
            (.lifecycleInterval, agents.lifecycleInterval), (.spoolDirectory, http.spoolDirectory),
            (.spoolMaxSize, http.spoolMaxSize),
            (.httpReadTimeout, http.readTimeout), (.httpWriteTimeout, http.writeTimeout),
            (.ingestWorkers, processes.ingestWorkers), (.ringMaxSize, processes.ringMaxSize),
            (.stateDirectory, processes.stateDirectory), (.runtimeDirectory, processes.runtimeDirectory),
            (.logLevel, log.level), (.logFormat, log.format), (.loggingLevel, log.loggingLevel),
            (.loggingEnvironment, log.loggingEnvironment), (.loggingModules, joined(log.loggingModules)),
            (.loggingLevels, joined(log.loggingLevels)),
        ]
        return values.compactMap { flag, value in value.map { (flag, $0) } }
    }

    /// A list that comes in several parts goes on with each of them.
    private func joined(_ lists: [String]) -> String? { lists.isEmpty ? nil : lists.joined(separator: ",") }
}
