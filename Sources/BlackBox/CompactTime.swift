// SPDX-License-Identifier: Apache-2.0
import Calendar

/// Times in the basic format of ISO 8601, `20261130T021632.123Z`: they sort as the times do, and are names of files and parts
/// of URLs without an escape.
enum CompactTime {
    static func text(_ time: EpochTime, fraction: RFC3339.Fraction) -> String {
        RFC3339.text(time, fraction: fraction).filter { $0 != "-" && $0 != ":" }
    }
}
