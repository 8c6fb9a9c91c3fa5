// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Settings

/// The table of flags as a whole; what each flag takes is in ``ProxySettingsTests``.
@Suite struct FlagTableTests {
    @Test func flagTable_hasEachNameOnce() {
        #expect(Set(SettingsFlag.allCases.map(\.rawValue)).count == SettingsFlag.allCases.count)
        #expect(FlagGroup.allCases.flatMap(\.flags) == SettingsFlag.allCases)
    }

    @Test(arguments: SettingsFlag.allCases) func flagTable_findsAFlagByItsName(flag: SettingsFlag) {
        #expect(SettingsFlag(rawValue: flag.rawValue) == flag)
        #expect(SettingsFlag(rawValue: flag.rawValue + "x") == nil)
        // The prefix that is not ours belongs to the Go proxy.
        #expect(flag.environmentVariable.dropFirst("FODC_".count) == flag.upstreamVariable.dropFirst("BYDB_".count))
    }

    /// The first word behind "default" in the help, where it is a value, is the value that an empty command line gives.
    @Test func helpText_showsTheDefault() throws {
        let machine = MachineLimits(cpus: 1, memoryBytes: nil)
        let standard = try ProxySettings.resolve(flags: [], environment: { _ in nil }, machine: machine)
        var checked: [String] = []
        // Any text is a path.
        for flag in SettingsFlag.allCases where flag.valueName != "PATH" {
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
                "grpc-listen-addr", "grpc-tls-listen-addr", "http-listen-addr", "agent-heartbeat-timeout",
                "agent-cleanup-timeout",
                "max-agents",
                "max-agents-per-connection", "grpc-max-msg-size", "stale-grace", "lifecycle-interval",
                "grpc-tls-client-auth",
                "health-requires-auth", "http-read-timeout", "http-write-timeout", "spool-max-size", "sandbox",
                "core-dumps",
                "record-interval", "black-box-max-size", "black-box-max-age", "black-box-profiles-max-size",
                "black-box-incidents", "log-level", "log-format", "logging-level",
                "logging-env",
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
    @Test func flagTable_hasFolderVariablesForFoldersOnly() throws {
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

    @Test func flagTable_onlyFoldersNeedARestart() {
        #expect(SettingsFlag.allCases.filter { !$0.isReloadable } == [.stateDirectory, .runtimeDirectory])
    }

    /// A flag that is in the table is taken wherever flags are taken.
    @Test func flagTable_isTheOnlyPlaceToDeclareAFlag() throws {
        let madeUp = SettingsFlag(
            "made-up-count", in: .agents, takes: "NUMBER", .count(\.maxAgents, 10...20), help: "Nothing. Default 1000")
        func resolve(
            _ flags: [(flag: SettingsFlag, value: String)] = [], _ variables: [String: String] = [:]
        ) throws(SettingsError) -> String? {
            try ProxySettings.resolve(
                flags: flags, environment: { variables[$0] }, machine: MachineLimits(cpus: 1, memoryBytes: nil),
                table: SettingsFlag.allCases + [madeUp]
            ).text(of: madeUp)
        }
        #expect(try resolve() == "1000")
        #expect(try resolve([(madeUp, "12")], ["FODC_MADE_UP_COUNT": "13"]) == "12")
        #expect(try resolve([], ["FODC_MADE_UP_COUNT": "13", "BYDB_MADE_UP_COUNT": "14"]) == "13")
        #expect(try resolve([], ["BYDB_MADE_UP_COUNT": "14"]) == "14")
        let error = #expect(throws: SettingsError.self) { try resolve([], ["FODC_MADE_UP_COUNT": "21"]) }
        #expect(error?.description.contains("FODC_MADE_UP_COUNT") == true)
        #expect(error?.description.contains("10 to 20") == true, "\(error as Any)")
    }

    /// Adding a flag touches the table, the field that it sets, and the reasons of its limits. Its name is in the table alone,
    /// but for commands and arguments of workers that are called the same.
    @Test func flagTable_namesEveryFlag() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var naming: [String: [String]] = [:]
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for flag in SettingsFlag.allCases where text.contains("\"\(flag.rawValue)\"") {
                naming[flag.rawValue, default: []].append(file.lastPathComponent)
            }
        }
        for flag in SettingsFlag.allCases {
            let files = naming[flag.rawValue] ?? []
            #expect(files.contains("SettingsFlag+table.swift") && files.count <= 3, "\(flag.rawValue): \(files)")
        }
    }
}
