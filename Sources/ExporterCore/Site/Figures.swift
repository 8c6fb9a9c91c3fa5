// SPDX-License-Identifier: Apache-2.0

/// Figures as the pages show them. `common.js` has the same.
enum Figures {
    /// `12 s`, `3 min`, `2 h`, `4 d`: the largest unit of which there are two, rounded down.
    static func age(seconds: Int64) -> String {
        let seconds = max(0, seconds)
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    }

    /// With spaces between thousands.
    static func count(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: "\u{202F}")
    }

    /// `512 B`, `3.2 MB`: decimal units, as Kubernetes' dashboards have them.
    static func bytes(_ value: Double) -> String {
        scaled(value, 1000, ["B", "kB", "MB", "GB", "TB"])
    }

    /// `0.34`, of one core.
    static func cores(_ value: Double) -> String { fixed(value, hundredths: value < 10) }

    private static func scaled(_ value: Double, _ factor: Double, _ units: [String]) -> String {
        guard value.isFinite else { return "–" }
        var (value, unit) = (max(0, value), 0)
        while value >= factor, unit < units.count - 1 {
            value /= factor
            unit += 1
        }
        let text = unit == 0 || value >= 100 ? "\(Int(value.rounded()))" : tenths(value)
        return "\(text) \(units[unit])"
    }

    private static func tenths(_ value: Double) -> String {
        let whole = Int((value * 10).rounded())
        return "\(whole / 10).\(whole % 10)"
    }

    private static func fixed(_ value: Double, hundredths: Bool) -> String {
        guard value.isFinite, value < 1e6 else { return "–" }
        guard hundredths else { return tenths(value) }
        let whole = Int((value * 100).rounded())
        return "\(whole / 100)." + (whole % 100 < 10 ? "0" : "") + "\(whole % 100)"
    }
}
