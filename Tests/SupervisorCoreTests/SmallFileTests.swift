// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

@testable import Platform

@Suite struct SmallFileTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = temporaryFolder()
        defer {
            for name in ["a", "a.new"] { unlink("\(folder)/\(name)") }
            rmdir("\(folder)/a")
            rmdir(folder)
        }
        try body(folder)
    }

    @Test func smallFile_readsBackWhatWasReplaced() throws {
        try inFolder { folder in
            let path = "\(folder)/a"
            // Left over from a crash.
            try SmallFile.replace("\(path).new", with: [9], mode: 0o600)
            for bytes in [[1, 2, 3], [], [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
                try SmallFile.replace(path, with: bytes, mode: 0o640)
                #expect(try SmallFile.read(path, limitBytes: 200_000) == bytes)
            }
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 & ~0o640 == 0)
            #expect(access("\(path).new", F_OK) != 0)
            #expect(try SmallFile.read(path, limitBytes: 10) == [UInt8](repeating: 7, count: 10))
        }
    }

    @Test func smallFile_keepsTheOldContentWhenAReplacementFails() throws {
        try inFolder { folder in
            let path = "\(folder)/a"
            #expect(mkdir(path, 0o700) == 0)
            #expect(throws: SystemError.self) { try SmallFile.replace(path, with: [1], mode: 0o600) }
            #expect(access("\(path).new", F_OK) != 0 && access(path, F_OK) == 0)
            #expect(throws: SystemError.self) { try SmallFile.replace("\(folder)/not/a", with: [1], mode: 0o600) }
        }
    }

    /// A descriptor may be shared with a process that has read on.
    @Test func smallFile_readsADescriptorFromItsBeginning() throws {
        try inFolder { folder in
            try SmallFile.replace("\(folder)/a", with: [1, 2, 3], mode: 0o600)
            let descriptor = open("\(folder)/a", O_RDONLY | O_CLOEXEC)
            #expect(lseek(descriptor, 2, SEEK_SET) == 2)
            #expect(try SmallFile.readAndClose(descriptor, limitBytes: 10) == [1, 2, 3])
        }
        #expect(throws: SystemError.self) { try SmallFile.read("/nowhere/at-all") }
        #expect(throws: SystemError.self) { try SmallFile.readAndClose(-1, limitBytes: 10) }
    }
}

@Suite struct EventQueueTests {
    @Test func eventQueue_reportsReadableDescriptorsByToken() throws {
        let (mine, theirs) = try MessageSocket.pair()
        defer { for end in [mine, theirs] { close(end) } }
        let queue = try EventQueue()
        try queue.add(mine, token: 7)
        #expect(throws: SystemError.self) { try queue.add(mine, token: 8) }
        #expect(throws: SystemError.self) { try queue.add(-1, token: 9) }
        var tokens: [UInt64] = []
        try queue.wait(timeoutMilliseconds: 0) { tokens.append($0) }
        #expect(tokens.isEmpty)
        try MessageSocket.send([1], on: theirs)
        // It is told as long as it is there.
        for _ in 0..<2 { try queue.wait(timeoutMilliseconds: -1) { tokens.append($0) } }
        #expect(tokens == [7, 7])
        queue.remove(mine)
        try queue.wait(timeoutMilliseconds: 0) { tokens.append($0) }
        #expect(tokens == [7, 7])
    }
}

@Suite struct ProcessEnvironmentTests {
    @Test func processEnvironment_hasTheEntriesOfThisProcess() throws {
        let all = ProcessEnvironment.entries(without: [])
        let name = try #require(all.first?.split(separator: "=").first.map(String.init))
        #expect(ProcessEnvironment.value(name) != nil)
        let rest = ProcessEnvironment.entries(without: [name])
        #expect(rest.count < all.count && !rest.contains { $0.hasPrefix(name + "=") })
        #expect(ProcessEnvironment.value("FODC_NEVER_SET") == nil)
    }

    @Test func processEnvironment_makesPathsAbsolute() throws {
        #expect(try ProcessEnvironment.absolutePath("/a/../b") == "/a/../b")
        let path = try ProcessEnvironment.absolutePath("a")
        #expect(path.hasPrefix("/") && path.hasSuffix("/a"))
        #expect(access(try ProcessEnvironment.executablePath(), X_OK) == 0)
    }
}
