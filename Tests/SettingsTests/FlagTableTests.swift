// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Settings

/// The table of flags as a whole; what each flag takes is in ``ProxySettingsTests``.
@Suite struct FlagTableTests {
    @Test func flagTable_hasEachNameOnce() {
        #expect(Set(SettingsFlag.allCases.map(\.rawValue)).count == SettingsFlag.allCases.count)
        #expect(FlagGroup.allCases.flatMap(\.flags) == SettingsFlag.allCases)
    }

    @Test(arguments: SettingsFlag.allCases) func flag_isFoundByItsName(flag: SettingsFlag) {
        #expect(SettingsFlag(rawValue: flag.rawValue) == flag)
        #expect(SettingsFlag(rawValue: flag.rawValue + "x") == nil)
        // The prefix that is not ours belongs to the Go proxy.
        #expect(flag.environmentVariable.dropFirst("FODC_".count) == flag.upstreamVariable.dropFirst("BYDB_".count))
    }

    /// The first word behind "default" in the help, where it is a value, is the value that an empty command line gives.
    @Test func help_saysTheDefault() throws {
        let machine = MachineLimits(cpus: 1, memoryBytes: nil)
        let standard = try ProxySettings.resolve(flags: [], environment: { _ in nil }, machine: machine)
        var checked: [String] = []
        for flag in SettingsFlag.allCases where flag.folderVariables.isEmpty {
            guard let word = Self.defaultWord(flag.help) else { continue }
            guard
                let given = try? ProxySettings.resolve(
                    flags: [(flag, word)], environment: { _ in nil }, machine: machine)
            else { continue }
            #expect(given == standard, "\(flag.option): the default is not \(word)")
            checked.append(flag.rawValue)
        }
        #expect(
            checked == [
                "grpc-listen-addr", "http-listen-addr", "agent-heartbeat-timeout", "agent-cleanup-timeout",
                "max-agents",
                "max-agents-per-connection", "grpc-max-msg-size", "stale-grace", "lifecycle-interval",
                "http-read-timeout", "http-write-timeout", "spool-max-size", "log-level", "log-format", "logging-level",
                "logging-env", "logging-levels",
            ])
    }

    private static func defaultWord(_ help: String) -> String? {
        let words = help.split(separator: " ").map(String.init)
        guard let place = words.lastIndex(where: { $0 == "Default" || $0 == "default" }), place + 1 < words.count else {
            return nil
        }
        return words[place + 1]
    }

    /// A folder of systemd stands for a flag that nobody gives, and for no other flag.
    @Test func folderVariables_belongToFoldersOnly() throws {
        for flag in SettingsFlag.allCases where !flag.folderVariables.isEmpty {
            for variable in flag.folderVariables {
                let settings = try ProxySettings.resolve(
                    flags: [], environment: { $0 == variable ? "/a:/b" : nil },
                    machine: MachineLimits(cpus: 1, memoryBytes: nil))
                #expect(settings.text(of: flag) == "/a")
            }
        }
        #expect(
            Set(SettingsFlag.allCases.flatMap(\.folderVariables))
                == ["STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CACHE_DIRECTORY", "TMPDIR"])
    }

    @Test func onlyTheServicesFoldersNeedARestart() {
        #expect(SettingsFlag.allCases.filter { !$0.isReloadable } == [.stateDirectory, .runtimeDirectory])
    }
}
