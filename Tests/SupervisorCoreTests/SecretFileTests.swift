// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Platform
import Testing

@testable import SupervisorCore

@Suite struct SecretFileTests {
    /// A folder of its own, gone at the end.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fodc-secret-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func secretFile_isCreatedOnceAndKept() throws {
        try inFolder { folder in
            let first = try SecretFile.load(stateDirectory: folder)
            #expect(first.origin == .made)
            #expect(first.bytes.count == 32)
            let second = try SecretFile.load(stateDirectory: folder)
            #expect(second.origin == .kept)
            #expect(second.bytes == first.bytes)
            #expect(mode("\(folder)/agent-id.secret") == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["agent-id.secret"])
        }
    }

    @Test(arguments: [0, 31, 33, 5000]) func secretFile_replacesADamagedSecret(count: Int) throws {
        try inFolder { folder in
            _ = try SecretFile.load(stateDirectory: folder)
            try SmallFile.replace("\(folder)/agent-id.secret", with: [UInt8](repeating: 7, count: count), mode: 0o600)
            let next = try SecretFile.load(stateDirectory: folder)
            guard case .replaced = next.origin else {
                Issue.record("\(count) bytes were taken: \(next.origin)")
                return
            }
            #expect(try SecretFile.load(stateDirectory: folder).bytes == next.bytes)
        }
    }

    @Test func secretFile_rejectsZeros() throws {
        try inFolder { folder in
            _ = try SecretFile.load(stateDirectory: folder)
            try SmallFile.replace("\(folder)/agent-id.secret", with: [UInt8](repeating: 0, count: 32), mode: 0o600)
            #expect(try SecretFile.load(stateDirectory: folder).bytes.contains { $0 != 0 })
        }
    }

    /// The recorder may add files, and neither read the secret nor put another one in its place.
    @Test func secretFile_sharesAFolderThatItMakes() throws {
        try inFolder { folder in
            _ = try SecretFile.load(stateDirectory: folder, sharedWith: getegid())
            var status = stat()
            #expect(stat(folder, &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o1770 && status.st_gid == getegid() && status.st_uid == geteuid())
            #expect(mode("\(folder)/agent-id.secret") == 0o600)
        }
    }

    @Test func secretFile_leavesAFolderAsItIs() throws {
        try inFolder { folder in
            #expect(mkdir(folder, 0o750) == 0)
            _ = try SecretFile.load(stateDirectory: folder, sharedWith: getegid())
            #expect(mode(folder) == 0o750)
        }
    }

    @Test func secretFile_isForItsOwnerOnly() throws {
        try inFolder { folder in
            let secret = try SecretFile.load(stateDirectory: folder)
            chmod("\(folder)/agent-id.secret", 0o644)
            #expect(try SecretFile.load(stateDirectory: folder).bytes == secret.bytes)
            #expect(mode("\(folder)/agent-id.secret") == 0o600)
        }
    }

    @Test func secretFile_isTransientWithoutAFolder() throws {
        let one = try SecretFile.load(stateDirectory: nil)
        #expect(one.origin == .passing)
        #expect(try SecretFile.load(stateDirectory: nil).bytes != one.bytes)
    }

    @Test(arguments: ["/dev/null", "/nowhere/at/all"]) func secretFile_reportsAnInvalidFolder(folder: String) {
        let error = #expect(throws: StartError.self) { try SecretFile.load(stateDirectory: folder) }
        #expect(error?.description.hasPrefix("--state-dir: cannot use \(folder) (") == true)
    }
}
