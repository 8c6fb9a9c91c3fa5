// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import Testing

@testable import Platform

@Suite struct AddressTextTests {
    @Test(arguments: [
        ("10.0.0.7", "10.0.0.7:80"), ("2001:db8::7", "[2001:db8::7]:80"), ("::ffff:10.0.0.7", "10.0.0.7:80"),
        ("::ffff:0:1", "[::ffff:0:1]:80"), ("::", "[::]:80"), ("", ":80"),
    ])
    func addressText_writesHostAndPort(host: String, text: String) {
        #expect(AddressText.text(host: host, port: 80) == text)
    }
}

@Suite struct NetworkSourceTests {
    @Test func networkSource_isOneForEachHost() {
        #expect(NetworkSource(host: "10.0.0.1") == NetworkSource(host: "::ffff:10.0.0.1"))
        #expect(NetworkSource(host: "10.0.0.1") != NetworkSource(host: "10.0.0.2"))
        #expect(NetworkSource(host: "2001:db8::1") == NetworkSource(host: "2001:db8::ffff:1:2:3"))
        #expect(NetworkSource(host: "2001:db8::1") != NetworkSource(host: "2001:db8:0:1::1"))
        // A v6 address whose first half looks like a v4 one.
        #expect(NetworkSource(host: "0:0:a00:1::") != NetworkSource(host: "10.0.0.1"))
    }

    @Test(arguments: ["", "host", "10.0.0", "10.0.0.1:80", "1.2.3.4.5", "::g", "[::1]"])
    func networkSource_isUnknownForOtherText(host: String) {
        #expect(NetworkSource(host: host) == .unknown)
    }
}

@Suite struct TickTimerTests {
    @Test func tickTimer_yieldsEachTickOnce() throws {
        let timer = try TickTimer(intervalNanoseconds: 1_000_000)
        var request = pollfd(fd: timer.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&request, 1, 60_000) == 1)
        #expect(timer.take() >= 1)
        let idle = try TickTimer(intervalNanoseconds: 3_600_000_000_000)
        #expect(idle.take() == 0)
    }
}

@Suite struct JobThreadTests {
    @Test func jobThread_runsJobsInOrderAndNoneAfterItsEnd() throws {
        let thread = try JobThread(name: "test-of-a-long-name")
        let done = AwaitedValue<[Int]>()
        let numbers = Numbers()
        for number in 0..<1000 { thread.run { numbers.add(number) } }
        thread.run { done.set(numbers.all) }
        thread.stop()
        thread.run { numbers.add(-1) }
        #expect(done.wait() == Array(0..<1000))
        #expect(!numbers.all.contains(-1))
        #expect(throws: Never.self) { try JobThread.checkRoom() }
    }

    private final class Numbers: Sendable {
        private let numbers = Mutex<[Int]>([])
        func add(_ number: Int) { numbers.withLock { $0.append(number) } }
        var all: [Int] { numbers.withLock { $0 } }
    }
}

@Suite struct DescriptorFactsTests {
    @Test func descriptorFacts_haveOneIdentityPerFile() throws {
        let file = try UnlinkedFile(folder: "/tmp")
        let copy = dup(file.descriptor)
        let other = try UnlinkedFile(folder: "/tmp")
        defer {
            close(copy)
            for file in [file, other] { file.close() }
        }
        #expect(DescriptorFacts.identity(of: file.descriptor) == DescriptorFacts.identity(of: copy))
        #expect(DescriptorFacts.identity(of: file.descriptor) != DescriptorFacts.identity(of: other.descriptor))
        #expect(DescriptorFacts.identity(of: -1) == nil && DescriptorFacts.access(of: -1) == nil)
    }

    @Test(arguments: [(O_RDONLY, DescriptorFacts.Access.readOnly), (O_WRONLY, .writeOnly), (O_RDWR, .readWrite)])
    func descriptorFacts_showTheAccessMode(flags: Int32, access: DescriptorFacts.Access) {
        let descriptor = open("/dev/null", flags | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(DescriptorFacts.access(of: descriptor) == access)
    }
}

@Suite struct SignalNameTests {
    @Test func signalName_namesSignals() {
        let named = [
            (SIGHUP, "SIGHUP"), (SIGINT, "SIGINT"), (SIGQUIT, "SIGQUIT"), (SIGILL, "SIGILL"), (SIGTRAP, "SIGTRAP"),
            (SIGABRT, "SIGABRT"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"), (SIGKILL, "SIGKILL"), (SIGSEGV, "SIGSEGV"),
            (SIGPIPE, "SIGPIPE"), (SIGTERM, "SIGTERM"), (SIGSYS, "SIGSYS"), (SIGXCPU, "SIGXCPU"),
        ]
        for (number, name) in named { #expect(SignalName.of(number) == name) }
        #expect(SignalName.of(42) == "signal 42" && SignalName.of(-1) == "signal -1")
    }
}

@Suite struct LocalSocketTests {
    private func path() -> String { "/tmp/fodc-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).sock" }

    @Test func localSocket_carriesBytesAndItsEnd() throws {
        let path = path()
        let listener = try LocalSocket.listen(path: path)
        defer {
            close(listener)
            unlink(path)
        }
        #expect(LocalSocket.isListening(listener))
        #expect(try LocalSocket.accept(on: listener) == nil)
        let client = try LocalSocket.connect(path: path)
        #expect(!LocalSocket.isListening(client))
        let server = try #require(try LocalSocket.accept(on: listener))
        defer { close(server) }
        #expect(try LocalSocket.peer(of: server) == .init(userID: getuid(), processID: getpid()))
        guard case .nothing = try LocalSocket.receive(on: server, limitBytes: 10) else {
            Issue.record("nobody has sent anything")
            return
        }
        #expect(try LocalSocket.send([1, 2, 3, 4][1...], on: client) == 3)
        guard case .bytes(let bytes) = try LocalSocket.receive(on: server, limitBytes: 2) else {
            Issue.record("three bytes are there")
            return
        }
        #expect(bytes == [2, 3])
        close(client)
        guard case .bytes([4]) = try LocalSocket.receive(on: server, limitBytes: 2),
            case .end = try LocalSocket.receive(on: server, limitBytes: 2)
        else {
            Issue.record("the last byte, then the end")
            return
        }
        // Nobody reads it any more; SIGPIPE would end the tests.
        #expect(throws: SystemError.self) { for _ in 0..<2 { _ = try LocalSocket.send([1], on: server) } }
    }

    @Test func localSocket_isForItsOwnerOnly() throws {
        let path = path()
        let listener = try LocalSocket.listen(path: path)
        defer {
            close(listener)
            unlink(path)
        }
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(LocalSocket.owner(of: path)?.userID == getuid())
        #expect(LocalSocket.owner(of: path + ".not") == nil)
    }

    @Test(arguments: ["", String(repeating: "x", count: 108), "/tmp/a\0b"])
    func localSocket_rejectsAPathThatIsTooLong(path: String) {
        #expect(throws: SystemError.self) { try LocalSocket.connect(path: path) }
    }

    @Test func localSocket_otherDescriptorsDoNotListen() {
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(null) }
        #expect(!LocalSocket.isListening(null) && !LocalSocket.isListening(-1))
    }
}

@Suite struct UnlinkedFileTests {
    private func read(_ file: UnlinkedFile, _ byteCount: Int, at offset: UInt64) throws -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
        defer { buffer.deallocate() }
        var span = OutputRawSpan(buffer: buffer, initializedCount: 0)
        try file.read(byteCount, at: offset, into: &span)
        return Array(buffer)
    }

    @Test func unlinkedFile_readsBackWhatWasWritten() throws {
        for file in [try UnlinkedFile(folder: "/tmp"), try UnlinkedFile.namedForAMoment(folder: "/tmp")] {
            defer { file.close() }
            let bytes: [UInt8] = [1, 2, 3, 4]
            try file.write(bytes.span.bytes, at: 10)
            #expect(try read(file, 4, at: 10) == bytes && read(file, 2, at: 9) == [0, 1])
            let error = #expect(throws: SystemError.self) { try read(file, 5, at: 10) }
            #expect(error?.code == ENODATA)
            #expect(try file.freeBytes() > 0)
            var status = stat()
            #expect(fstat(file.descriptor, &status) == 0 && status.st_nlink == 0)
        }
    }

    @Test func unlinkedFile_needsAFolder() {
        #expect(throws: SystemError.self) { try UnlinkedFile(folder: "/nowhere/at-all") }
        #expect(throws: SystemError.self) { try UnlinkedFile.namedForAMoment(folder: "/nowhere/at-all") }
    }
}
