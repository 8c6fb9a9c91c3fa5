// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Settings

/// All flags that are settings, for a start and for `ctl reload`.
struct SettingFlags: ParsableArguments {
    @OptionGroup(title: ListeningFlags.group.title) var listening: FlagSection<ListeningFlags>
    @OptionGroup(title: AgentFlags.group.title) var agents: FlagSection<AgentFlags>
    @OptionGroup(title: AgentAccessFlags.group.title) var agentAccess: FlagSection<AgentAccessFlags>
    @OptionGroup(title: HTTPFlags.group.title) var http: FlagSection<HTTPFlags>
    @OptionGroup(title: ProcessFlags.group.title) var processes: FlagSection<ProcessFlags>
    @OptionGroup(title: SandboxFlags.group.title) var sandbox: FlagSection<SandboxFlags>
    @OptionGroup(title: BlackBoxFlags.group.title) var blackBox: FlagSection<BlackBoxFlags>
    @OptionGroup(title: LogFlags.group.title) var log: FlagSection<LogFlags>

    @Option(
        name: .customLong("libexec-dir"), parsing: .unconditional,
        help: ArgumentHelp("Folder of fodc-ingest, fodc-exporter and fodc-recorder.", visibility: .hidden))
    var libexecDirectory: String?

    /// The typed values.
    var given: [(flag: SettingsFlag, value: String)] {
        listening.given + agents.given + agentAccess.given + http.given + processes.given + sandbox.given
            + blackBox.given
            + log.given
    }
}

enum ListeningFlags: FlagSectionName { static let group = FlagGroup.listening }
enum AgentFlags: FlagSectionName { static let group = FlagGroup.agents }
enum AgentAccessFlags: FlagSectionName { static let group = FlagGroup.agentAccess }
enum HTTPFlags: FlagSectionName { static let group = FlagGroup.http }
enum ProcessFlags: FlagSectionName { static let group = FlagGroup.processes }
enum SandboxFlags: FlagSectionName { static let group = FlagGroup.sandbox }
enum BlackBoxFlags: FlagSectionName { static let group = FlagGroup.blackBox }
enum LogFlags: FlagSectionName { static let group = FlagGroup.log }
