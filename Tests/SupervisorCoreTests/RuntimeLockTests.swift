// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing

@testable import SupervisorCore

@Suite struct RuntimeLockTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fodc-lock-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func runtimeLock_hasOneHolderAtATime() throws {
        try inFolder { folder in
            var first: RuntimeLock? = try RuntimeLock(runtimeDirectory: folder)
            #expect(first != nil)
            let error = #expect(throws: StartError.self) { try RuntimeLock(runtimeDirectory: folder) }
            let text = try #require(error?.description)
            #expect(text.contains(folder) && text.contains("process \(getpid())") && text.contains("--runtime-dir"))
            first = nil
            #expect(try RuntimeLock(runtimeDirectory: folder).descriptor >= 0)
        }
    }

    @Test func runtimeLock_fileIsForItsOwnerOnly() throws {
        try inFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try Data("4711 and much more\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/lock"))
            chmod("\(folder)/lock", 0o666)
            let lock = try RuntimeLock(runtimeDirectory: folder)
            #expect(fcntl(lock.descriptor, F_GETFD) & FD_CLOEXEC != 0)
            var status = stat()
            #expect(stat("\(folder)/lock", &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(try String(contentsOfFile: "\(folder)/lock", encoding: .utf8) == "\(getpid())\n")
        }
    }

    @Test func runtimeLock_isInheritedWithItsDescriptor() throws {
        try inFolder { folder in
            // As it is after an exec: the descriptor is there, the object that had it is not.
            var lock: RuntimeLock? = try RuntimeLock(runtimeDirectory: folder)
            let adopted = RuntimeLock(adopting: dup(try #require(lock).descriptor))
            lock = nil
            #expect(throws: StartError.self) { try RuntimeLock(runtimeDirectory: folder) }
            #expect(fcntl(adopted.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        }
    }

    @Test func runtimeLock_followsNoLink() throws {
        try inFolder { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/lock", withDestinationPath: "\(folder)/elsewhere")
            #expect(throws: StartError.self) { try RuntimeLock(runtimeDirectory: folder) }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/elsewhere"))
        }
    }

    @Test(arguments: ["/dev/null", "/nowhere/at/all"]) func runtimeLock_reportsAnInvalidFolder(folder: String) {
        let error = #expect(throws: StartError.self) { try RuntimeLock(runtimeDirectory: folder) }
        #expect(error?.description.hasPrefix("--runtime-dir: cannot use \(folder) (") == true)
    }
}
