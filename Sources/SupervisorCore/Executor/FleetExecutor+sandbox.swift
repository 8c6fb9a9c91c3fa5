// SPDX-License-Identifier: Apache-2.0
import Logging
import Platform
import Sandbox
import Settings
import WorkerLink

/// The known gaps in the sandboxes of this process and its workers.
struct SandboxState {
    /// The missing parts, for people, in the order in which they were found. Each is logged once.
    private(set) var gaps: [String] = []

    /// - Returns: whether that is new.
    mutating func add(_ gap: String) -> Bool {
        guard !gaps.contains(gap), gaps.count < Self.limitGaps else { return false }
        gaps.append(gap)
        return true
    }

    /// Gaps come from workers, which may lie.
    private static let limitGaps = 16
}

/// The sandbox of the supervisor, and what it is told of those of its workers.
extension FleetExecutor {
    /// To be called before the first worker is started, and after everything is open that this start needs.
    ///
    /// - Throws: where the sandbox is required and a part is missing.
    public func enterSandbox() throws(StartError) {
        guard settings.sandbox != .off else { return }
        if starter.user == nil, SupervisorSandbox.isRoot {
            logger.notice(
                "workers stay root, without capabilities: there is no user \(SupervisorSandbox.workerUserName) to change to"
            )
        }
        let gaps = SupervisorSandbox.enter(
            leavesCores: settings.coreDumps == .on, omitted: SandboxOmission.all)
        if settings.sandbox == .required, let first = gaps.first {
            throw StartError("--sandbox required: \(first); or set --sandbox best-effort")
        }
        for gap in gaps { note(gap: gap.description) }
    }

    /// For `ctl status`: `complete`, `off`, or what is missing.
    var sandboxText: String {
        guard settings.sandbox != .off else { return "off" }
        return sandbox.gaps.isEmpty ? "complete" : "incomplete: " + sandbox.gaps.joined(separator: " | ")
    }

    private func note(gap: String) {
        guard sandbox.add(gap) else { return }
        logger.warning(
            "the sandbox is incomplete; the service goes on without this part", metadata: ["missing": "\(gap)"])
    }

    /// - Parameter missing: as a worker puts it.
    func take(missing: String) {
        let separator = " | "
        var rest = Substring(missing)
        while !rest.isEmpty {
            let end = rest.firstRange(of: separator) ?? rest.endIndex..<rest.endIndex
            note(gap: SanitizedText.line(String(rest[..<end.lowerBound]), limitCharacters: 300))
            rest = rest[end.upperBound...]
        }
    }

    func take(refusedCall number: UInt32, from id: FleetProcess.ID, _ worker: WorkerName) {
        control.add(.sandboxViolations)
        logger.error(
            """
            \(worker) made a system call that its sandbox does not allow, and is ended: \(SystemCallName.of(number)); if no \
            attack is likely, report this line; --sandbox off goes on without a sandbox
            """, metadata: metadata(id).merging(["system_call": "\(SystemCallName.of(number))"]) { own, _ in own })
    }
}
