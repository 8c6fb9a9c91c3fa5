// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore
import NIOPosix
import Platform
import TestSupport
import Testing

@testable import TransportSecurity

struct ReloadTests {
    private static func name(_ action: ReloadState<Int>.Action) -> String {
        switch action {
        case .none: "none"
        case .replace(let value): "replace \(value)"
        case .report(let error): "report \(error)"
        }
    }

    @Test func reloadState_replacesTheValueAtOnce() {
        var state = ReloadState<Int>(files: ReadFiles())
        #expect(Self.name(state.handle(.unchanged)) == "none")
        #expect(Self.name(state.handle(.loaded(2, ReadFiles()))) == "replace 2")
        #expect(state.isSuccessful)
    }

    @Test func reloadState_reportsAFailureAfterTwoChecks() {
        var state = ReloadState<Int>(files: ReadFiles())
        #expect(Self.name(state.handle(.failed(.init("half"), ReadFiles()))) == "none")
        #expect(state.isSuccessful)
        #expect(Self.name(state.handle(.unchanged)) == "report half")
        #expect(!state.isSuccessful)
        #expect(Self.name(state.handle(.unchanged)) == "none")
        #expect(Self.name(state.handle(.failed(.init("worse"), ReadFiles()))) == "report worse")
        #expect(!state.isSuccessful)
        #expect(Self.name(state.handle(.loaded(3, ReadFiles()))) == "replace 3")
        #expect(state.isSuccessful)
    }

    @Test func reloadState_toleratesAHalfWrittenFile() {
        var state = ReloadState<Int>(files: ReadFiles())
        #expect(Self.name(state.handle(.failed(.init("half"), ReadFiles()))) == "none")
        #expect(Self.name(state.handle(.loaded(2, ReadFiles()))) == "replace 2")
        #expect(Self.name(state.handle(.unchanged)) == "none")
        #expect(state.isSuccessful)
    }

    @Test func reloadedFile_keepsTheOldValueWhileTheFileIsBad() throws {
        let folder = temporaryFolder()
        let path = "\(folder)/number"
        let thread = try JobThread(name: "test-files")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer {
            thread.stop()
            try? group.syncShutdownGracefully()
            unlink(path)
            rmdir(folder)
        }
        try write("1", to: path)
        let loop = group.next()
        let file = try loop.submit {
            let file = try ReloadedFile<Int>(
                name: "number", loop: loop, thread: thread, logger: Logger(label: "test")
            ) { (files) throws(ConfigurationFileError) in
                let text = String(decoding: try files.read(path), as: UTF8.self)
                guard let number = Int(text) else { throw ConfigurationFileError("\(text) is not a number") }
                return number
            }
            file.start()
            return NIOLoopBound(file, eventLoop: loop)
        }.wait()
        func eventually(_ condition: @escaping @Sendable (ReloadedFile<Int>) -> Bool) throws -> Bool {
            for _ in 0..<3000 {
                if try loop.submit({ condition(file.value) }).wait() { return true }
                usleep(10_000)
            }
            return false
        }
        #expect(try eventually { $0.value == 1 && $0.isLastReloadSuccessful })
        try write("two", to: path)
        #expect(try eventually { !$0.isLastReloadSuccessful })
        #expect(try eventually { $0.value == 1 })
        try write("3", to: path)
        #expect(try eventually { $0.value == 3 && $0.isLastReloadSuccessful })
        try loop.submit { file.value.stop() }.wait()
    }

    @Test func reloadedFile_throwsWhenTheFirstReadFails() throws {
        let thread = try JobThread(name: "test-files")
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer {
            thread.stop()
            try? group.syncShutdownGracefully()
        }
        #expect(throws: ConfigurationFileError.self) {
            _ = try ReloadedFile<Int>(
                name: "number", loop: group.next(), thread: thread, logger: Logger(label: "test")
            ) { (files) throws(ConfigurationFileError) in try files.read("/nonexistent/number").count }
        }
    }
}
