// SPDX-License-Identifier: Apache-2.0
import Lanes
import Settings

/// The protocol that the programs of one service must agree on. `fodc-ingest --check` and `fodc-exporter --check` print it and do
/// nothing else.
public enum WorkerCheck {
    public static let argument = "--check"

    /// Settings go to the workers by name, so the versions must be the same, too.
    public static var line: String {
        "\(ProxyVersion.current) layout \(LaneFormat.version) control \(LaneFormat.controlVersion) "
            + "protocol \(MessageCoding.version)"
    }

    /// Whether a program was started for that.
    public static func isAsked(_ arguments: [String]) -> Bool { Array(arguments.dropFirst()) == [argument] }
}
