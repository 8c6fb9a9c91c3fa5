// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import TestSupport
import Testing

/// Children die with the thread that has started them, so each test waits for their ends on its own thread.
@Suite struct ChildProcessTests {
    private func shell(_ script: String, descriptors: [Int32] = [], output: Int32? = nil) throws -> ChildProcess {
        try ChildProcess(
            path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin", "MARK=here"],
            descriptors: descriptors, output: output)
    }

    /// The pidfd says when; a minute is what only a defect takes.
    private func end(of child: ChildProcess) -> ChildProcess.End? {
        var request = pollfd(fd: child.pidfd, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 60_000) == 1 else { return nil }
        return child.reap()
    }

    private func text(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var text: [UInt8] = []
        while case let count = read(descriptor, &bytes, bytes.count), count > 0 { text += bytes.prefix(count) }
        return String(decoding: text, as: UTF8.self)
    }

    @Test func childProcess_reportsItsEndOnce() throws {
        let child = try shell("exit 5")
        #expect(end(of: child) == .exited(code: 5))
        #expect(child.reap() == nil)
        #expect(!child.signal(SIGTERM))
    }

    @Test func childProcess_endsOnASignal() throws {
        let child = try shell("exec sleep 1000")
        #expect(child.reap() == nil)
        #expect(child.signal(SIGKILL))
        #expect(end(of: child) == .killed(signal: SIGKILL, hasDumpedCore: false))
    }

    @Test func childProcess_hasTheGivenDescriptorsAndEnvironment() throws {
        let (output, given) = (try closeOnExecPipe(), try closeOnExecPipe())
        let child = try shell(
            "echo $MARK; echo through >&3; ls /proc/self/fd | wc -l", descriptors: [given.writer], output: output.writer
        )
        close(output.writer)
        close(given.writer)
        defer { for end in [output.reader, given.reader] { close(end) } }
        #expect(end(of: child) == .exited(code: 0))
        #expect(text(given.reader) == "through\n")
        // Three, what it was given, and the folder that `ls` reads.
        #expect(text(output.reader).split(separator: "\n").map { $0.filter { $0 != " " } } == ["here", "5"])
    }

    /// A descriptor is taken as the program, whatever the path leads to; one that is no program leaves it to the path.
    @Test func childProcess_runsTheProgramOfTheDescriptor() throws {
        let program = open("/bin/sh", O_RDONLY | O_CLOEXEC)
        let text = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        defer { for descriptor in [program, text] { close(descriptor) } }
        let (given, output) = (try closeOnExecPipe(), try closeOnExecPipe())
        let child = try ChildProcess(
            path: "/nowhere/at-all", program: program,
            arguments: ["sh", "-c", "echo through >&3; ls /proc/self/fd | wc -l"],
            environment: ["PATH=/usr/bin:/bin"], descriptors: [given.writer], output: output.writer)
        for end in [given.writer, output.writer] { close(end) }
        defer { for end in [given.reader, output.reader] { close(end) } }
        #expect(end(of: child) == .exited(code: 0))
        #expect(self.text(given.reader) == "through\n")
        #expect(self.text(output.reader).filter { $0.isNumber } == "5", "the program's descriptor is not left open")
        let other = try ChildProcess(
            path: "/bin/sh", program: text, arguments: ["sh", "-c", "exit 9"], environment: [], descriptors: [])
        #expect(end(of: other) == .exited(code: 9))
    }

    @Test func childProcess_failsForAFileThatCannotBeExecuted() {
        let error = #expect(throws: SystemError.self) {
            try ChildProcess(path: "/nowhere/at-all", arguments: ["x"], environment: [], descriptors: [])
        }
        #expect(error?.code == ENOENT)
    }
}

@Suite struct ProcessUsageTests {
    @Test func processUsage_measuresThisProcess() throws {
        let usage = try #require(OwnProcess.current.usage())
        #expect(usage.threads >= 1 && usage.residentBytes > 1 << 20 && usage.virtualBytes >= usage.residentBytes)
        #expect(usage.userSeconds >= 0 && usage.systemSeconds >= 0)
        let now = Double(WallClock.nowNanoseconds()) / 1e9
        #expect(usage.startedAtSeconds > 0 && usage.startedAtSeconds < now + 1)
        #expect(usage.openDescriptors.map { $0 >= 3 } == true)
        #expect(usage.maximumDescriptors.map { $0 > 0 } != false)
        // It does not seem to have been started anew.
        #expect(OwnProcess.current.usage()?.startedAtSeconds == usage.startedAtSeconds)
    }

    @Test func processUsage_decodesToTheEncodedWords() throws {
        let own = try #require(OwnProcess.current.usage())
        let again = try #require(ProcessUsage(words: own.words))
        #expect(again.words == own.words && again.threads == own.threads)
        #expect(ProcessUsage(words: [UInt64](repeating: 0, count: ProcessUsage.wordCount)) == nil)
        #expect(ProcessUsage(words: [1, 2]) == nil)
        // Of memory that another process writes.
        let odd = try #require(ProcessUsage(words: [UInt64](repeating: .max, count: ProcessUsage.wordCount)))
        #expect(odd.residentBytes == .max)
        // As it is shown: nanoseconds in 64 bits.
        #expect(UInt64(exactly: ((odd.userSeconds + odd.systemSeconds) * 1e9).rounded()) != nil)
    }

    /// In a process of its own: descriptors of other tests come and go.
    @Test func ownProcess_countsItsDescriptors() async {
        await #expect(processExitsWith: .success) {
            let before = try #require(OwnProcess.current.usage()?.openDescriptors)
            for _ in 0..<50 { precondition(dup(STDERR_FILENO) >= 0, "a descriptor can be had") }
            let after = try #require(OwnProcess.current.usage()?.openDescriptors)
            precondition(after == before + 50, "\(before) descriptors before, \(after) after")
        }
    }
}
