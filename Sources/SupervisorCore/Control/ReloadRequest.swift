// SPDX-License-Identifier: Apache-2.0
import Settings

/// The request of `fodc-proxy ctl reload`: flags and environment that the service has from then on.
///
/// The sender may be of a newer version than the receiver, so flags and variables that are not known here are compacted on
/// as they came; it is the new program's `--check` that says whether it can take them.
public struct ReloadRequest: Equatable, Sendable {
    public struct Pair: Equatable, Sendable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            (self.name, self.value) = (name, value)
        }
    }

    /// Names without dashes at the front: `max-agents`. In the order in which they were typed.
    public var flags: [Pair]
    public var environment: [Pair]
    /// `--libexec-dir`; `nil`: the folder of the program.
    public var libexecDirectory: String?

    public init(flags: [Pair], environment: [Pair], libexecDirectory: String? = nil) {
        (self.flags, self.environment, self.libexecDirectory) = (flags, environment, libexecDirectory)
    }

    /// The flags that this version knows, as ``ProxySettings/resolve(flags:environment:machine:)`` takes them.
    public var knownFlags: [(flag: SettingsFlag, value: String)] {
        flags.compactMap { pair in SettingsFlag(rawValue: pair.name).map { ($0, pair.value) } }
    }

    /// `--NAME=VALUE`, as the program takes them.
    public var arguments: [String] {
        flags.map { "--\($0.name)=\($0.value)" } + (libexecDirectory.map { ["\(Self.libexecOption)=\($0)"] } ?? [])
    }

    /// One variable's value, as ``ProxySettings/resolve(flags:environment:machine:)`` takes it.
    public func variable(_ name: String) -> String? { environment.last { $0.name == name }?.value }

    public static let libexecOption = "--libexec-dir"
    /// Of systemd's and the system's variables those that settings may come from.
    public static let foldersVariables = Set(SettingsFlag.allCases.flatMap(\.folderVariables))
    private static let settingsPrefixes = [SettingsFlag.variablePrefix, SettingsFlag.upstreamVariablePrefix]

    /// The variables that a sender brings along: those of flags that it knows, and systemd's folders.
    public static func pickEnvironment(_ value: (String) -> String?) -> [Pair] {
        let flags = SettingsFlag.allCases
        let names = flags.map(\.environmentVariable) + flags.map(\.upstreamVariable) + foldersVariables.sorted()
        var pairs = names.compactMap { name in value(name).map { Pair(name, $0) } }
        // systemd tells a command of ExecReload= whom it is about.
        if let process = value("MAINPID") { pairs.append(Pair(ReloadVariable.name, process)) }
        return pairs
    }

    static func isFlagName(_ text: String) -> Bool {
        isName(text) { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "-") }
            && !text.hasPrefix("-")
    }

    static func isVariableName(_ text: String) -> Bool {
        if foldersVariables.contains(text) { return true }
        return settingsPrefixes.contains { text.hasPrefix($0) }
            && isName(text) { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || $0 == UInt8(ascii: "_") }
    }

    /// No flag or variable of ours is longer.
    private static let limitNameBytes = 64

    private static func isName(_ text: String, _ isAllowed: (UInt8) -> Bool) -> Bool {
        (1...limitNameBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { isAllowed($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
