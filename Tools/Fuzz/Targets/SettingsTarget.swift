// SPDX-License-Identifier: Apache-2.0
import Platform
import WorkerLink

@testable import Settings

// The environment file, and all settings from flags and variables. An input is which flags are given, their values, and
// the file.

extension FuzzTarget {
    static let settings = FuzzTarget("settings", seeds: SettingsRun.seeds) { bytes in
        var input = FuzzInput(bytes)
        var flags: [(flag: SettingsFlag, value: String)] = []
        for _ in 0..<input.below(6) {
            flags.append((SettingsFlag.allCases[input.below(SettingsFlag.allCases.count)], input.text()))
        }
        try SettingsRun.take(flags, file: String(decoding: input.rest(), as: UTF8.self))
    }
}

private enum SettingsRun {
    static func take(_ flags: [(flag: SettingsFlag, value: String)], file: String) throws {
        let values = EnvironmentFile.parse(file)
        let entries = values.map { "\($0.key)=\($0.value)" }
        for warning in UnknownVariables.warnings(of: entries) { try hold(!warning.isEmpty, "a warning of nothing") }
        let settings: ProxySettings
        do throws(SettingsError) {
            settings = try ProxySettings.resolve(
                flags: flags, environment: { values[$0] }, machine: MachineLimits(cpus: 2, memoryBytes: 1 << 32))
        } catch {
            // It says what is wrong, in one line that a terminal takes.
            return try hold("\(error)".count > 10, "an error without a word: \(error)")
        }
        let again: ProxySettings
        do throws(SettingsError) { again = try ProxySettings(flagValues: settings.flagValues) } catch {
            throw Finding("settings that a worker would refuse: \(error)")
        }
        try hold(again == settings, "settings are others after they were written")
    }

    static let seeds: [[UInt8]] = {
        var seed = SeedWriter(2)
        for (flag, value) in [("max-agents", "100"), ("agent-heartbeat-timeout", "10s")] {
            seed.byte(UInt8(SettingsFlag.allCases.firstIndex { $0.rawValue == flag } ?? 0))
            seed.text(value)
        }
        let files = [
            "# comment\nFODC_MAX_AGENTS=7\nBYDB_GRPC_LISTEN_ADDR=:17912 \n; other\nFODC_LOG_LEVEL=\"de\\\"bug\"\n",
            "FODC_RING_MAX_SIZE='1 GiB'\\\n  more\nNAME = a b  \nX\n=\nFODC_MAX_AGENT=1\nFODC_PROXY_SERVICE_HOST=10.0.0.1",
            "STATE_DIRECTORY=/a:/b\r\nFODC_HTTP_LISTEN_ADDR=127.0.0.1:0\n",
        ]
        return files.map { seed.bytes + Array($0.utf8) } + files.map { [0] + Array($0.utf8) }
    }()
}
