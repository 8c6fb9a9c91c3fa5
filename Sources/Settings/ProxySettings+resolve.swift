// SPDX-License-Identifier: Apache-2.0

extension ProxySettings {
    /// A value that somebody has chosen, and where.
    typealias Chosen = (source: SettingsError.Source, value: String)

    /// The settings of a start: flags, else the environment's `FODC_…`, else its `BYDB_…`, else systemd's folders and this
    /// machine's limits, else the defaults.
    ///
    /// - Parameters:
    ///   - flags: as they were typed; of two of a kind the later counts.
    ///   - environment: one variable's value, `nil` if it is not set.
    ///   - machine: from which the number of workers and the size of the rings follow if nobody says them.
    public static func resolve(
        flags: [(flag: SettingsFlag, value: String)], environment: (String) -> String?, machine: MachineLimits
    ) throws(SettingsError) -> ProxySettings {
        try resolve(flags: flags, environment: environment, machine: machine, table: SettingsFlag.allCases)
    }

    /// - Parameter table: the flags that there are.
    static func resolve(
        flags: [(flag: SettingsFlag, value: String)], environment: (String) -> String?, machine: MachineLimits,
        table: [SettingsFlag]
    ) throws(SettingsError) -> ProxySettings {
        var settings = ProxySettings()
        var sources: [SettingsFlag: SettingsError.Source] = [:]
        for flag in table {
            guard let chosen = chosen(flag, flags: flags, environment: environment) else { continue }
            try settings.set(flag, to: chosen.value, source: chosen.source)
            sources[flag] = chosen.source
        }
        try settings.takeLogging { chosen($0, flags: flags, environment: environment) }
        if sources[.heartbeatInterval] == nil {
            settings.heartbeatInterval = Limits.heartbeatInterval(forTimeout: settings.agentHeartbeatTimeout)
        }
        for flag in table where sources[flag] == nil {
            for variable in flag.folderVariables {
                guard let folder = firstFolder(environment(variable)) else { continue }
                try settings.set(flag, to: folder, source: .environment(variable))
                break
            }
        }
        if sources[.blackBoxDirectory] == nil {
            settings.blackBoxDirectory = settings.stateDirectory ?? firstFolder(environment("CACHE_DIRECTORY"))
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
        Set(SettingsFlag.allCases.filter { chosen($0, flags: flags, environment: environment) != nil })
    }

    private static func chosen(
        _ flag: SettingsFlag, flags: [(flag: SettingsFlag, value: String)], environment: (String) -> String?
    ) -> Chosen? {
        if let given = flags.last(where: { $0.flag == flag }) { return (.flag, given.value) }
        for variable in [flag.environmentVariable, flag.upstreamVariable] {
            if let value = environment(variable), !value.isEmpty { return (.environment(variable), value) }
        }
        return nil
    }

    /// systemd puts several folders into one variable with colons between them.
    private static func firstFolder(_ variable: String?) -> String? {
        variable?.split(separator: ":").first.map(String.init)
    }
}
