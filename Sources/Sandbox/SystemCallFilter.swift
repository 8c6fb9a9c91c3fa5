// SPDX-License-Identifier: Apache-2.0
import CSandbox
import Platform

/// A list of system calls that is in force for a process until its end (seccomp).
enum SystemCallFilter {
    /// - Parameters:
    ///   - refused: the errno of calls that no rule allows; 0: they are allowed.
    ///   - marker: see ``SupervisorSystemCalls/marker``; 0: nothing.
    /// - Returns: `nil` when it is in force.
    static func load(_ rules: [SystemCallRule], refused: Int32, marker: Int32 = 0) -> SandboxGap? {
        let compiled = rules.compactMap(\.compiled)
        let code = fodc_sandbox_load(compiled, Int32(compiled.count), refused, marker)
        return code == 0 ? nil : SandboxGap(.seccomp, call: "seccomp", code: code)
    }

    static func isInForce(marker: Int32) -> Bool { fodc_sandbox_marker() == marker }
}

/// Names of system calls, for people.
public enum SystemCallName {
    /// `connect`; `system call 999` where there is no name. On one thread only.
    public static func of(_ number: UInt32) -> String {
        guard let name = fodc_sandbox_system_call_name(Int32(clamping: number)) else { return "system call \(number)" }
        return String(cString: name)
    }
}
