// SPDX-License-Identifier: Apache-2.0
import Glibc
import Lanes
import Logging
import Platform
import WorkerLink

/// The secret of which the ids of agents are made.
extension SupervisorStart {
    func loadSecret(_ logger: Logger) throws(StartError) -> SecretFile {
        do throws(StartError) {
            return try SecretFile.load(stateDirectory: settings.stateDirectory)
        } catch {
            try goOnWithout(.stateDirectory, error, logger)
            return try SecretFile.load(stateDirectory: nil)
        }
    }

    /// That of the state folder; without one, that which systemd has kept.
    ///
    /// - Parameter installation: `nil`: the one that is kept is that of the state folder.
    func makeSecret(
        _ kept: StoreContents.Kept?, _ installation: SecretFile?, _ generation: UInt64, _ logger: Logger
    ) throws(SystemError) -> Lane {
        guard let installation else {
            guard let kept else {
                throw SystemError(call: "looking for the inherited secret", code: ENOENT)
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

    private func tellOrigin(of secret: SecretFile, _ logger: Logger) {
        switch secret.origin {
        case .kept: break
        case .borrowed(let reason):
            logger.warning(
                "using a secret for agent IDs that this user cannot protect; change its owner to this user and its mode to 0600",
                metadata: ["folder": "\(settings.stateDirectory ?? "")", "reason": "\(reason)"])
        case .made:
            logger.info(
                "created the secret from which agent IDs are derived",
                metadata: ["folder": "\(settings.stateDirectory ?? "")"])
        case .replaced(let flaw):
            logger.warning(
                "the secret for agent IDs was invalid; created a new one: agent IDs change",
                metadata: ["flaw": "\(flaw)"])
        case .passing where settings.stateDirectory != nil: break  // said already
        case .passing:
            logger.info("no --state-dir: agent IDs change when the proxy is stopped and started")
        }
    }
}
