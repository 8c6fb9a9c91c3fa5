// SPDX-License-Identifier: Apache-2.0
import Rings
import Settings

/// The protocol that the programs of one service must agree on: `fodc-ingest --check` and `fodc-exporter --check` print it. With
/// settings behind it they also say whether the files can be used that these name.
public enum WorkerCheck {
    public static let argument = "--check"

    /// Settings go to the workers by name, so the versions must be the same, too.
    public static var line: String {
        "\(ProxyVersion.current) layout \(RingFormat.version) control \(RingFormat.controlVersion) "
            + "protocol \(MessageCoding.version)"
    }

    /// The arguments after the program's name.
    public static func arguments(_ settings: ProxySettings) -> [String] {
        [argument] + WorkerLaunch.arguments(of: settings)
    }

    /// Whether a program was started for that.
    public static func isAsked(_ arguments: [String]) -> Bool { arguments.dropFirst().first == argument }

    /// The settings of such a start; the defaults, which name no file, without any.
    public static func settings(_ arguments: [String]) throws(WorkerLaunchError) -> ProxySettings {
        var values: [(flag: SettingsFlag, value: String)] = []
        for argument in arguments.dropFirst(2) { values.append(try WorkerLaunch.setting(argument)) }
        do throws(SettingsError) { return try ProxySettings(flagValues: values) } catch {
            throw WorkerLaunchError("\(error)")
        }
    }
}
