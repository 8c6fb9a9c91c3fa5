// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import WorkerLink

/// The secret from which ids of agents are derived. Kept in the state folder, an agent that comes back has its old id
/// also after the machine was restarted; without one it lives as long as the supervisor.
public struct SecretFile: Sendable {
    static let fileName = "agent-id.secret"
    /// Nobody but the service may read it.
    static let fileMode: mode_t = 0o600
    static let folderMode: mode_t = 0o700
    /// Where the recorder is another user, and keeps the black box there: it may make files in the folder, and those that are
    /// not its own stay closed to it, and where they are (the sticky bit).
    static let sharedFolderMode: mode_t = 0o1770

    public enum Origin: Equatable, Sendable {
        /// Read from the state folder.
        case kept
        /// Read from there, though it or the folder is another user's or read-only: what could not be done.
        case borrowed(String)
        /// New, and kept from now on.
        case made
        /// New, because the old one was invalid: the reason.
        case replaced(String)
        /// New, and gone with the supervisor: there is no state folder.
        case passing
    }

    public let bytes: [UInt8]
    public let origin: Origin

    /// Reads or makes it. An error is that the folder cannot be used.
    ///
    /// - Parameter group: shares the folder, if it is made here; `nil`: it is the supervisor's alone.
    public static func load(stateDirectory: String?, sharedWith group: gid_t? = nil) throws(StartError) -> SecretFile {
        guard let folder = stateDirectory else { return SecretFile(bytes: random(), origin: .passing) }
        let path = "\(folder)/\(fileName)"
        if mkdir(folder, folderMode) == 0 {
            if let group { try share(folder, with: group) }
        } else if errno != EEXIST {
            let error = SystemError.last("mkdir")
            // A parent that may not be written to, with the folder in it, says so before it says that there is one.
            guard access(folder, X_OK) == 0 else { throw unusable(folder, error) }
        }

        let flaw: String
        do throws(SystemError) {
            let bytes = try SmallFile.read(path, limitBytes: WorkerLaunch.secretBytes + 1)
            if let found = Self.flaw(of: bytes) {
                flaw = found
            } else if chmod(path, fileMode) != 0 {
                return SecretFile(bytes: bytes, origin: .borrowed("\(SystemError.last("chmod \(path)"))"))
            } else {
                return SecretFile(bytes: bytes, origin: .kept)
            }
        } catch {
            guard error.code == ENOENT else { throw unusable(folder, error) }
            flaw = ""
        }
        let bytes = random()
        do throws(SystemError) {
            try SmallFile.replace(path, with: bytes, mode: fileMode)
        } catch {
            throw unusable(folder, error)
        }
        return SecretFile(bytes: bytes, origin: flaw.isEmpty ? .made : .replaced("\(path) \(flaw)"))
    }

    /// The mode comes after the owner, of whom a change takes bits of it away.
    private static func share(_ folder: String, with group: gid_t) throws(StartError) {
        guard chown(folder, uid_t.max, group) == 0, chmod(folder, sharedFolderMode) == 0 else {
            throw unusable(folder, .last("share it with the recorder"))
        }
    }

    private static func flaw(of bytes: [UInt8]) -> String? {
        if bytes.count != WorkerLaunch.secretBytes {
            return "does not have \(WorkerLaunch.secretBytes) bytes"
        }
        // A file system leaves zeros in a file whose blocks were never written.
        return bytes.allSatisfy { $0 == 0 } ? "holds only zeros" : nil
    }

    private static func unusable(_ folder: String, _ error: SystemError) -> StartError {
        StartError(
            "--state-dir: cannot use \(folder) (\(error)); name a folder that this user may write to, or none",
            .folderUnusable)
    }

    private static func random() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()  // getrandom(2)
        return (0..<WorkerLaunch.secretBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
