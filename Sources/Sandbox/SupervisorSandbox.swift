// SPDX-License-Identifier: Apache-2.0
import CSandbox
import Glibc

/// The sandbox of the supervisor. The supervisor opens files and sockets, starts programs and becomes a later one at a
/// reload, so it keeps more permissions than its workers do; the processes that it starts have no more than it has.
public enum SupervisorSandbox {
    /// The user that workers change to when root has started the service.
    public static let workerUserName = "fodc-proxy"

    /// - Returns: what is missing.
    public static func enter(leavesCores: Bool, omitted: [SandboxPart: SandboxGap] = [:]) -> [SandboxGap] {
        var gaps: [SandboxGap] = []
        if let gap = omitted[.privileges] {
            gaps.append(gap)
        } else {
            let kept = fodc_sandbox_supervisor_capabilities()
            WorkerSandbox.add(&gaps, .privileges, "capset", fodc_sandbox_keep_capabilities(isRoot ? kept : 0))
            // A reload may want cores again, so the limit can still be raised.
            WorkerSandbox.add(
                &gaps, .privileges, "limit of cores", fodc_sandbox_set_core_dumps(leavesCores ? 1 : 0, 0))
        }
        WorkerSandbox.add(&gaps, .privileges, "no_new_privs", fodc_sandbox_no_new_privileges())
        if let gap = omitted[.seccomp] {
            gaps.append(gap)
        } else if !SystemCallFilter.isInForce(marker: SupervisorSystemCalls.marker),
            let gap = SystemCallFilter.load(
                SupervisorSystemCalls.rules, refused: 0, marker: SupervisorSystemCalls.marker)
        {
            gaps.append(gap)
        }
        if let gap = omitted[.landlock] {
            gaps.append(gap)
        } else if fodc_sandbox_landlock_version() == 0 {
            // Its workers will lack it.
            gaps.append(SandboxGap(.landlock, call: "landlock", code: errno))
        }
        return gaps
    }

    public static var isRoot: Bool { geteuid() == 0 }

    /// The user that workers change to: `nil` where root has not started the service, or the system has no such user.
    public static var workerUser: SandboxPolicy.User? {
        guard isRoot else { return nil }
        var (user, group) = (uid_t(), gid_t())
        guard fodc_sandbox_find_user(workerUserName, &user, &group) == 0 else { return nil }
        return SandboxPolicy.User(user: user, group: group)
    }
}
