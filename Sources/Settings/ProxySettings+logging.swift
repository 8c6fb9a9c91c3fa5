// SPDX-License-Identifier: Apache-2.0

/// The Go proxy's flags for logging. They set ``ProxySettings/logLevel`` and ``ProxySettings/logFormat``.
extension ProxySettings {
    /// This program's name among `--logging-modules`, and the `module` of its log lines in JSON.
    public static let loggingModule = "fodc-proxy"

    /// Decides between `--log-level`, the level of our module and `--logging-level`, and between `--log-format` and
    /// `--logging-env`. A flag wins over our variable, that over the Go proxy's; of equals the one named first here.
    mutating func takeLogging(_ chosen: (SettingsFlag) -> Chosen?) throws(SettingsError) {
        func given(_ flag: SettingsFlag) -> GivenValue? {
            chosen(flag).map { GivenValue(flag: flag, source: $0.source, text: $0.value) }
        }
        var levels: [(source: SettingsError.Source, level: LogLevel)] = []
        if let own = given(.logLevel) { levels.append((own.source, try own.oneOf())) }
        if let modules = given(.loggingModules) {
            let names = modules.list
            let levelsText = given(.loggingLevels)
            let values = try levelsText?.upstreamLevels() ?? []
            guard names.count == values.count else {
                throw (levelsText ?? modules).refuse(
                    "lists of equal length in \(SettingsFlag.loggingModules.option) (\(names.count)) and "
                        + "\(SettingsFlag.loggingLevels.option) (\(values.count))")
            }
            // Of two of a name the later counts, and case makes no difference, as there.
            if let place = names.lastIndex(where: { $0.lowercased() == Self.loggingModule }) {
                levels.append((modules.source, values[place]))
            }
        }
        if let root = given(.loggingLevel) { levels.append((root.source, try root.upstreamLevel())) }
        var formats: [(source: SettingsError.Source, format: LogFormat)] = []
        if let own = given(.logFormat) { formats.append((own.source, try own.oneOf())) }
        if let upstream = given(.loggingEnvironment) { formats.append((upstream.source, upstream.upstreamFormat)) }
        // The first of the least: `min(by:)` keeps it.
        if let best = levels.min(by: { Self.rank($0.source) < Self.rank($1.source) }) { logLevel = best.level }
        if let best = formats.min(by: { Self.rank($0.source) < Self.rank($1.source) }) { logFormat = best.format }
    }

    private static func rank(_ source: SettingsError.Source) -> Int {
        switch source {
        case .flag: 0
        case .environment(let variable): variable.hasPrefix(SettingsFlag.variablePrefix) ? 1 : 2
        case .standard: 3
        }
    }
}

extension GivenValue {
    /// Parts of a list with commas.
    var list: [String] {
        text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// A level as the Go proxy names it.
    func upstreamLevel() throws(SettingsError) -> LogLevel {
        guard let level = Self.upstreamLevel(text) else { throw refuse(Self.allowedLevels) }
        return level
    }

    /// Those of a list.
    func upstreamLevels() throws(SettingsError) -> [LogLevel] {
        var levels: [LogLevel] = []
        for part in list {
            guard let level = Self.upstreamLevel(part) else { throw refuse("a list of \(Self.allowedLevels)") }
            levels.append(level)
        }
        return levels
    }

    /// `dev` is text for people; everything else is JSON there.
    var upstreamFormat: LogFormat { text.lowercased() == "dev" ? .text : .json }

    private static let allowedLevels = "one of trace, debug, info, warn, error, fatal, panic, disabled"

    private static func upstreamLevel(_ text: String) -> LogLevel? {
        switch text.lowercased() {
        case "warn", "warning": .warning
        // This program's last message before it exits is worth a line in any case.
        case "error", "fatal", "panic", "disabled": .error
        case let name: LogLevel(rawValue: name)
        }
    }
}
