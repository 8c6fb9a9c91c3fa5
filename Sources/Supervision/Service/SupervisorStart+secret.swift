// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import Platform
import WorkerLink

/// The secret of which the ids of agents are made.
extension SupervisorStart {
    func loadSecret(_ logger: Logger) throws(StartError) -> InstallationSecret {
        do throws(StartError) {
            return try InstallationSecret.load(stateDirectory: settings.stateDirectory)
        } catch {
            try goOnWithout(.stateDirectory, error, logger)
            return try InstallationSecret.load(stateDirectory: nil)
        }
    }

    /// That of the state folder; without one, that which systemd has kept.
    ///
    /// - Parameter installation: `nil`: the one that is kept is that of the state folder.
    func makeSecret(
        _ kept: StoreContents.Kept?, _ installation: InstallationSecret?, _ generation: UInt64, _ logger: Logger
    ) throws(SystemError) -> Lane {
        guard let installation else {
            guard let kept else {
                throw SystemError(call: "looking for the secret that was handed over", code: ENOENT)
            }
            return try Lane(kept.name, writable: kept.descriptor)
        }
        if let kept {
            let copy = try MemoryFile.duplicate(kept.descriptor)
            let bytes = try SmallFile.readAndClose(copy, limitBytes: installation.bytes.count + 1)
            if installation.origin == .passing || bytes == installation.bytes {
                return try Lane(kept.name, writable: kept.descriptor)
            }
        }
        tellOrigin(of: installation, logger)
        return try LaneSet.makeSecret(installation.bytes, generation: generation)
    }

    private func tellOrigin(of secret: InstallationSecret, _ logger: Logger) {
        switch secret.origin {
        case .kept: break
        case .borrowed(let reason):
            logger.warning(
                "the secret for the ids of agents is used though this user cannot protect it; give it to this user, mode 0600",
                metadata: ["folder": "\(settings.stateDirectory ?? "")", "reason": "\(reason)"])
        case .made:
            logger.info("made a secret for the ids of agents", metadata: ["folder": "\(settings.stateDirectory ?? "")"])
        case .replaced(let flaw):
            logger.warning(
                "the secret for the ids of agents was of no use, a new one is made: ids change",
                metadata: ["flaw": "\(flaw)"])
        case .passing where settings.stateDirectory != nil: break  // said already
        case .passing:
            logger.info("no --state-dir: ids of agents change when the proxy is stopped and started")
        }
    }
}
