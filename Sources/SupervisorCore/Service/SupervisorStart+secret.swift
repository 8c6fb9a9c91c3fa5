// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import Platform
import Rings
import Sandbox
import WorkerLink

/// The secret of which the ids of agents are made.
extension SupervisorStart {
    func loadSecret(_ logger: Logger) throws(StartError) -> SecretFile {
        do throws(StartError) {
            return try SecretFile.load(stateDirectory: settings.stateDirectory, sharedWith: recorderGroup)
        } catch {
            try continueWithout(.stateDirectory, error, logger)
            return try SecretFile.load(stateDirectory: nil)
        }
    }

    /// The group of the user that the recorder changes to, where it keeps the black box in the state folder.
    private var recorderGroup: UInt32? {
        guard settings.sandbox != .off, settings.records, settings.blackBoxDirectory == settings.stateDirectory else {
            return nil
        }
        return SupervisorSandbox.workerUser?.group
    }

    /// That of the state folder; without one, that which systemd has kept.
    ///
    /// - Parameter installation: `nil`: the one that is kept is that of the state folder.
    func makeSecret(
        _ kept: StoreContents.KeptDescriptor?, _ installation: SecretFile?, _ generation: UInt64, _ logger: Logger
    ) throws(SystemError) -> Ring {
        guard let installation else {
            guard let kept else {
                throw SystemError(call: "looking for the inherited secret", code: ENOENT)
            }
            return try Ring(kept.name, writable: kept.descriptor)
        }
        if let kept {
            let copy = try MemoryFile.duplicate(kept.descriptor)
            let bytes = try SmallFile.readAndClose(copy, limitBytes: installation.bytes.count + 1)
            if installation.origin == .passing || bytes == installation.bytes {
                return try Ring(kept.name, writable: kept.descriptor)
            }
        }
        logOrigin(of: installation, logger)
        return try RingSet.makeSecret(installation.bytes, generation: generation)
    }

    private func logOrigin(of secret: SecretFile, _ logger: Logger) {
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
