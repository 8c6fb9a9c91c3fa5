// SPDX-License-Identifier: Apache-2.0
import Platform
import TestHooks

/// Parts of the sandbox that are left out because somebody wants what they forbid.
public enum SandboxOmission {
    private static let reporter = "SWIFT_BACKTRACE"

    public static var all: [SandboxPart: SandboxGap] {
        var omitted: [SandboxPart: SandboxGap] = [:]
        if asksForReporter(ProcessEnvironment.value(reporter)) {
            omitted[.seccomp] = SandboxGap(
                .seccomp, reason: "\(reporter) asks for Swift's crash reporter, which starts a program",
                remedy: "unset \(reporter) when the crash is found")
        }
        for part in SandboxPart.allCases where TestHooks.isSandboxPartMissing(part.rawValue) {
            omitted[part] = SandboxGap(part, reason: "left out by a test", remedy: "unset the hook")
        }
        return omitted
    }

    /// Whether the variable of Swift's runtime switches its crash reporter on.
    static func asksForReporter(_ value: String?) -> Bool {
        guard let value else { return false }
        let settings = value.split(separator: ",").filter { $0.hasPrefix("enable=") }
        guard let setting = settings.last?.dropFirst("enable=".count).lowercased() else { return false }
        return !["no", "n", "off", "false", "f", "0"].contains(setting)
    }
}
