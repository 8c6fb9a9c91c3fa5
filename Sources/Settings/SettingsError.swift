// SPDX-License-Identifier: Apache-2.0

/// A setting that cannot be: says which, from where, what it was and what is allowed. One line, made for people.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// Where a value was given.
    public enum Source: Equatable, Sendable {
        case flag, standard
        /// The variable of this name.
        case environment(String)
    }

    public let flag: SettingsFlag
    public let source: Source
    /// As it was given.
    public let value: String
    /// The valid values: "a whole number from 1 to 64".
    public let allowed: String

    public init(flag: SettingsFlag, source: Source, value: String, allowed: String) {
        self.flag = flag
        self.source = source
        self.value = value
        self.allowed = allowed
    }

    public var description: String {
        let name =
            switch source {
            case .flag: flag.option
            case .environment(let variable): "\(variable) (the environment's \(flag.option))"
            case .standard: "\(flag.option) (default)"
            }
        return "\(name): \"\(value)\" is not allowed; must be \(allowed)"
    }
}
