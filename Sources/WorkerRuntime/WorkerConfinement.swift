// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Logs
import Platform
import Sandbox
import Settings
import TestHooks
import WorkerLink

/// A worker's way into its sandbox. The worker reports missing parts to the supervisor, which logs them once for all
/// workers; where the sandbox is required, the worker ends instead.
struct WorkerConfinement {
    /// Where spool files are when no folder is set.
    static let standardSpoolFolder = "/tmp"

    private let policy: SandboxPolicy
    private let mode: SandboxMode
    private let link: Int32
    private var gaps: [SandboxGap] = []

    /// - Parameter readablePaths: files and folders that the worker reads while it serves.
    init(_ launch: WorkerLaunch, readablePaths: [String]) {
        mode = launch.settings.sandbox
        link = launch.descriptors.link
        policy = Self.policy(launch, readablePaths)
    }

    private static func policy(_ launch: WorkerLaunch, _ readablePaths: [String]) -> SandboxPolicy {
        let kind: SandboxPolicy.Kind =
            switch launch.role {
            case .ingest: .ingest
            case .exporter: .exporter
            case .recorder: .recorder
            }
        var policy = SandboxPolicy(kind, readablePaths: readablePaths)
        policy.leavesCores = launch.settings.coreDumps == .on
        policy.user = launch.user.map { SandboxPolicy.User(user: $0.user, group: $0.group) }
        if launch.role == .exporter {
            policy.writablePaths = [launch.settings.spoolDirectory ?? standardSpoolFolder]
            if launch.settings.records, let folder = launch.settings.blackBoxDirectory {
                policy.readablePaths.append(nearestFolder(folder))
            }
        }
        if launch.role == .recorder {
            policy.writablePaths = [launch.settings.blackBoxDirectory].compactMap { $0 }.map(nearestFolder)
        }
        policy.omitted = SandboxOmission.all
        return policy
    }

    /// A folder that is not there now may come back while the worker serves: its nearest ancestor that is there stands for it.
    private static func nearestFolder(_ path: String) -> String {
        var path = path
        while access(path, F_OK) != 0, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            path = String(path[..<slash])
        }
        return path
    }

    /// Before the process has other threads: what it will not be able to look at later is looked at here.
    mutating func enter(_ logger: Logger) {
        LogOutput.standard.prepareForSandbox()
        _ = OwnProcess.current
        _ = ProcessStartTime.ownTicks()
        _ = MachineLimits.current()
        guard mode != .off else { return }
        gaps += WorkerSandbox.enter(policy)
        endIfRequired(logger)
    }

    /// When everything is open that the worker needs, and before it serves.
    mutating func seal(_ logger: Logger) {
        guard mode != .off else { return }
        gaps += WorkerSandbox.seal(policy, link: link, violation: MessageCoding.encode(.refusedCall(0)))
        endIfRequired(logger)
    }

    /// The missing parts, for people; empty: nothing is missing.
    var missing: String { gaps.map(\.description).joined(separator: " | ") }

    private func endIfRequired(_ logger: Logger) {
        guard mode == .required, !gaps.isEmpty else { return }
        logger.critical(
            "the sandbox is required and cannot be entered; see the remedy, or set --sandbox best-effort",
            metadata: ["missing": "\(missing)"])
        exit(WorkerProcess.exitFailure)
    }
}
