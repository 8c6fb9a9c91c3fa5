// SPDX-License-Identifier: Apache-2.0
import CSandbox
import Glibc
import Platform
import Testing

@testable import Sandbox

@Suite struct SystemCallRuleTests {
    private static let kinds: [SandboxPolicy.Kind] = [.ingest, .exporter]

    @Test(arguments: kinds) func workerSystemCalls_allowNoCallThatAnotherRuleEnds(kind: SandboxPolicy.Kind) {
        let plain = WorkerSystemCalls.rules(for: SandboxPolicy(kind)).filter(\.conditions.isEmpty)
        let names = plain.map(\.name)
        #expect(Set(names).count == names.count, "\(names.filter { name in names.count { $0 == name } > 1 })")
    }

    /// A misspelt name would be left out silently. On other machines than this some calls have other names.
    @Test(arguments: kinds) func workerSystemCalls_existOnThisMachine(kind: SandboxPolicy.Kind) {
        for rule in WorkerSystemCalls.rules(for: SandboxPolicy(kind)) {
            #expect(
                rule.compiled != nil || ["epoll_pwait2", "memfd_secret", "process_madvise"].contains(rule.name),
                "\(rule.name)")
        }
    }

    @Test func supervisorSystemCalls_existOnThisMachine() {
        for rule in SupervisorSystemCalls.rules {
            #expect(rule.compiled != nil || rule.name == "quotactl_fd", "\(rule.name)")
        }
    }

    @Test func workerSystemCalls_doNotAllowIngestToOpenFiles() {
        func verdicts(_ kind: SandboxPolicy.Kind, _ name: String) -> [SystemCallRule.Verdict] {
            WorkerSystemCalls.rules(for: SandboxPolicy(kind)).filter { $0.name == name }.map(\.verdict)
        }
        #expect(verdicts(.ingest, "openat") == [.end, .end, .end], "and the rest fails, as nothing allows it")
        for name in ["open", "openat2", "unlink", "socket", "connect", "execve", "process_vm_writev"] {
            #expect(verdicts(.ingest, name) == [.end], "\(name)")
        }
        #expect(verdicts(.exporter, "openat") == [.allow, .allow])
        #expect(verdicts(.exporter, "connect") == [.end])
        let reading = WorkerSystemCalls.rules(for: SandboxPolicy(.exporter, readablePaths: ["/etc/fodc-proxy"]))
        #expect(reading.count { $0.name == "openat" } == 3)
        #expect(
            WorkerSystemCalls.rules(for: SandboxPolicy(.exporter)).filter { $0.name == "openat" }.allSatisfy {
                !$0.conditions.isEmpty
            })
    }

    /// Certificates are read anew: nothing else that opens a file is allowed with them.
    @Test func workerSystemCalls_allowIngestToReadTheFoldersOfItsCertificates() {
        let rules = WorkerSystemCalls.rules(for: SandboxPolicy(.ingest, readablePaths: ["/etc/fodc-proxy/tls"]))
        let openings = rules.filter { $0.name == "openat" }
        #expect(openings.map(\.verdict) == [.end, .end, .end, .allow])
        let writing: Int32 = O_ACCMODE | O_CREAT | O_TRUNC | 0o20000000  // The last is a part of O_TMPFILE.
        let condition = SystemCallRule.Condition.has(2, noneOf: writing)
        #expect(openings.last?.conditions.first == condition)
        for name in ["open", "openat2", "unlink", "connect"] {
            #expect(rules.filter { $0.name == name }.map(\.verdict) == [.end], "\(name)")
        }
    }

    @Test func systemCallName_isKnown() {
        let number = fodc_sandbox_system_call("connect")
        #expect(number >= 0 && SystemCallName.of(UInt32(number)) == "connect")
        #expect(SystemCallName.of(99_999) == "system call 99999")
        #expect(SystemCallName.of(.max) == "system call 4294967295")
    }
}

@Suite struct SandboxSettingsTests {
    @Test(arguments: [
        ("core", "."), ("core.%p\n", "."), ("/var/cores/core.%e", "/var/cores"), ("/core", "/"), ("cores/%p", "cores"),
    ])
    func corePattern_yieldsTheFolder(pattern: String, folder: String) {
        #expect(CorePattern.folder(of: pattern) == folder)
    }

    @Test func corePattern_yieldsNoFolderForAPipe() {
        #expect(CorePattern.folder(of: "|/usr/lib/systemd/systemd-coredump %P") == nil)
    }

    @Test(
        arguments: [
            (nil, false), ("", false), ("enable=no", false), ("enable=yes", true), ("enable=on,limit=3", true),
            ("limit=3,enable=off", false), ("enable=yes,enable=no", false), ("limit=3", false),
        ] as [(String?, Bool)])
    func sandboxOmission_detectsSwiftsCrashReporter(value: String?, asks: Bool) {
        #expect(SandboxOmission.asksForReporter(value) == asks)
    }

    @Test func sandboxGap_namesPartReasonAndRemedy() {
        let gap = SandboxGap(.landlock, call: "landlock", code: ENOSYS)
        #expect(gap.description.hasPrefix("landlock: landlock: "))
        #expect(gap.description.contains("Linux 5.13"))
        #expect(SandboxGap(.seccomp, call: "seccomp", code: EPERM).remedy.contains("container"))
    }
}

/// Landlock binds the thread that enters it: one that ends with the test.
@Suite struct WorkerSandboxTests {
    private static func inItsOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) throws -> Value {
        let thread = try JobThread(name: "sandboxed")
        let value = AwaitedValue<Value>()
        thread.run { value.set(body()) }
        return value.wait()
    }

    @Test func workerSandbox_closesFilesThatAreNotNamed() throws {
        let (gaps, readable, closed) = try Self.inItsOwnThread {
            var policy = SandboxPolicy(.exporter, readablePaths: ["/etc/hostname", "/no/such/file"])
            policy.omitted[.privileges] = SandboxGap(.privileges, call: "capset", code: EPERM)
            policy.writablePaths = ["/tmp"]
            let gaps = WorkerSandbox.enter(policy)
            return (
                gaps, open("/etc/hostname", O_RDONLY) >= 0,
                open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES
            )
        }
        // A kernel without Landlock says so, and nothing is closed.
        let lacksLandlock = gaps.contains { $0.part == .landlock }
        #expect(gaps.first?.part == .privileges)
        #expect(readable)
        #expect(closed != lacksLandlock)
    }

    @Test func workerSandbox_tellsOfPartsThatAreLeftOut() throws {
        var policy = SandboxPolicy(.ingest)
        policy.omitted[.seccomp] = SandboxGap(.seccomp, call: "seccomp", code: ENOSYS)
        #expect(WorkerSandbox.seal(policy, link: -1, violation: []).map(\.part) == [.seccomp])
    }
}
