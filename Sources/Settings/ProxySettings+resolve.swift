// SPDX-License-Identifier: Apache-2.0

extension ProxySettings {
    /// The settings of a start: flags, else the environment's `FODC_…`, else systemd's folders and this machine's
    /// limits, else the defaults.
    ///
    /// - Parameters:
    ///   - flags: as they were typed; of two of a kind the later counts.
    ///   - environment: one variable's value, `nil` if it is not set.
    ///   - machine: from which the number of workers and the size of the rings follow if nobody says them.
    public static func resolve(
        flags: [(flag: SettingsFlag, value: String)], environment: (String) -> String?, machine: MachineLimits
    ) throws(SettingsError) -> ProxySettings {
        var settings = ProxySettings()
        var sources: [SettingsFlag: SettingsError.Source] = [:]
        for flag in SettingsFlag.allCases {
            if let given = flags.last(where: { $0.flag == flag }) {
                try settings.set(flag, to: given.value, source: .flag)
                sources[flag] = .flag
            } else if let value = environment(flag.environmentVariable), !value.isEmpty {
                try settings.set(flag, to: value, source: .environment)
                sources[flag] = .environment
            }
        }
        if sources[.stateDirectory] == nil {
            settings.stateDirectory = firstFolder(environment("STATE_DIRECTORY"))
        }
        if sources[.runtimeDirectory] == nil {
            settings.runtimeDirectory = firstFolder(environment("RUNTIME_DIRECTORY"))
        }
        if sources[.spoolDirectory] == nil {
            settings.spoolDirectory = firstFolder(environment("CACHE_DIRECTORY")) ?? firstFolder(environment("TMPDIR"))
        }
        if sources[.ingestWorkers] == nil {
            settings.ingestWorkers = machine.defaultIngestWorkers
        }
        if sources[.ringMaxSize] == nil {
            settings.ringMaxBytes = max(
                machine.defaultRingBytes(workers: settings.ingestWorkers),
                Limits.ringBytes(forMessageBytes: settings.grpcMaxMessageBytes))
        }
        try settings.checkTogether { sources[$0] ?? .standard }
        return settings
    }

    /// The settings that somebody has chosen, by a flag or the environment; all others are defaults.
    public static func given(
        flags: [(flag: SettingsFlag, value: String)], environment: (String) -> String?
    ) -> Set<SettingsFlag> {
        Set(
            SettingsFlag.allCases.filter { flag in
                flags.contains { $0.flag == flag } || environment(flag.environmentVariable)?.isEmpty == false
            })
    }

    /// systemd puts several folders into one variable with colons between them.
    private static func firstFolder(_ variable: String?) -> String? {
        variable?.split(separator: ":").first.map(String.init)
    }
}
