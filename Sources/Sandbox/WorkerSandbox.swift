// SPDX-License-Identifier: Apache-2.0
import CSandbox
import Platform

/// The sandbox of a worker, in two steps: what a process can give up before it has other threads, and what it can only give
/// up when all is open that it needs. None of it can be taken back.
public enum WorkerSandbox {
    /// The first step, in a process with one thread: the user, capabilities, cores, and files (Landlock).
    ///
    /// - Returns: what is missing.
    public static func enter(_ policy: SandboxPolicy) -> [SandboxGap] {
        var gaps: [SandboxGap] = []
        // Before the user changes: what a core pattern or a folder is, both users can see.
        let coreFolder = policy.leavesCores ? CorePattern.folder : nil
        if let gap = policy.omitted[.privileges] {
            gaps.append(gap)
        } else {
            if let user = policy.user {
                add(&gaps, .privileges, "change of user", fodc_sandbox_become_user(user.user, user.group))
            }
            add(&gaps, .privileges, "capset", fodc_sandbox_keep_capabilities(0))
            add(
                &gaps, .privileges, "limit of cores",
                fodc_sandbox_set_core_dumps(policy.leavesCores ? 1 : 0, 1))
        }
        add(&gaps, .privileges, "no_new_privs", fodc_sandbox_no_new_privileges())
        if let gap = policy.omitted[.landlock] {
            gaps.append(gap)
        } else {
            add(
                &gaps, .landlock, "landlock",
                restrictFiles(
                    readable: policy.readablePaths,
                    // The kernel writes a core with the rights of the process.
                    writable: policy.writablePaths + [coreFolder].compactMap { $0 }))
        }
        return gaps
    }

    /// The second step: the list of system calls, for all threads.
    ///
    /// - Parameters:
    ///   - link: a connected socket on which a violation is told before it ends the process.
    ///   - violation: what is sent then; its last four bytes become the number of the system call, little-endian.
    public static func seal(_ policy: SandboxPolicy, link: Int32, violation: [UInt8]) -> [SandboxGap] {
        if let gap = policy.omitted[.seccomp] { return [gap] }
        var gaps: [SandboxGap] = []
        add(&gaps, .seccomp, "sigaction", fodc_sandbox_report_violations(link, violation, violation.count))
        let rules = WorkerSystemCalls.rules(for: policy)
        if let gap = SystemCallFilter.load(rules, refused: WorkerSystemCalls.refused) { gaps.append(gap) }
        return gaps
    }

    private static func restrictFiles(readable: [String], writable: [String]) -> Int32 {
        let rules = fodc_sandbox_landlock_begin()
        guard rules >= 0 else { return SystemError.last("").code }
        for path in readable {
            let code = fodc_sandbox_landlock_allow(rules, path, 0)
            if code != 0 { return code }
        }
        for path in writable {
            let code = fodc_sandbox_landlock_allow(rules, path, 1)
            if code != 0 { return code }
        }
        return fodc_sandbox_landlock_enter(rules)
    }

    static func add(_ gaps: inout [SandboxGap], _ part: SandboxPart, _ call: String, _ code: Int32) {
        if code != 0 { gaps.append(SandboxGap(part, call: call, code: code)) }
    }
}
