// SPDX-License-Identifier: Apache-2.0

/// A flag of the proxy: its names, its help, how its value is read and checked, and whether a reload can change it.
///
/// All flags are in ``allCases``. The command line, the environment, `--help`, `ctl reload` and the workers' arguments
/// follow from it; tests check that the manual page, the environment file and the README agree with it.
public struct SettingsFlag: Sendable, RawRepresentable, CaseIterable {
    /// The name without dashes: `max-agents`.
    public let rawValue: String
    public let group: FlagGroup
    /// The name of the value in `--help`: `NUMBER`.
    public let valueName: String
    public let help: String
    /// Whether a flag that comes several times goes on with its list each time; otherwise the last one counts.
    public let isList: Bool
    /// Variables of systemd and of the system that name a folder where neither a flag nor a variable of ours does.
    public let folderVariables: [String]
    /// Whether a reload can change the setting; otherwise the service must be restarted.
    public let isReloadable: Bool
    let field: SettingsField

    init(
        _ name: String, in group: FlagGroup, takes valueName: String, isList: Bool = false,
        folderVariables: [String] = [], isReloadable: Bool = true, _ field: SettingsField, help: String
    ) {
        rawValue = name
        self.group = group
        self.valueName = valueName
        self.help = help
        self.isList = isList
        self.folderVariables = folderVariables
        self.isReloadable = isReloadable
        self.field = field
    }

    /// The flag of this name, if there is one.
    public init?(rawValue name: String) {
        guard let flag = Self.allCases.first(where: { $0.rawValue == name }) else { return nil }
        self = flag
    }

    /// As it is typed: `--max-agents`.
    public var option: String { "--" + rawValue }

    /// The environment variable that gives the same setting: `FODC_MAX_AGENTS`. The flag wins; an empty variable
    /// counts as none.
    public var environmentVariable: String { Self.variablePrefix + variableSuffix }

    /// The variable by which the Go proxy takes it: `BYDB_MAX_AGENTS`. Ours wins.
    public var upstreamVariable: String { Self.upstreamVariablePrefix + variableSuffix }

    public static let variablePrefix = "FODC_"
    public static let upstreamVariablePrefix = "BYDB_"

    private var variableSuffix: String {
        rawValue.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }
}

/// Names are unique (a test looks), so that a name is as good as all that belongs to it.
extension SettingsFlag: Hashable {
    public static func == (first: Self, second: Self) -> Bool { first.rawValue == second.rawValue }

    public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// A section of `--help`, of the manual page and of the environment file.
public enum FlagGroup: String, Sendable, CaseIterable {
    case listening = "Where to listen"
    case agents = "Agents"
    case agentAccess = "Agents' access"
    case http = "HTTP"
    case processes = "Processes and memory"
    case sandbox = "Sandbox"
    case blackBox = "Black box"
    case log = "Log"

    public var title: String { rawValue }
    public var flags: [SettingsFlag] { SettingsFlag.allCases.filter { $0.group == self } }
}
