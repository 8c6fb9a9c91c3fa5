// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestHooks
import Testing

/// Faults on demand. Each test has a process of its own: the variables are read once, and a fault is its end.
@Suite struct TestHooksTests {
    @Test func testHooks_listTheirVariables() {
        #expect(TestHooks.isVariable("FODC_TEST_POISON"))
        #expect(!TestHooks.isVariable("FODC_MAX_AGENTS") && !TestHooks.isVariable("TEST"))
    }

    @Test func testHooks_doNothingWithoutVariables() async {
        await #expect(processExitsWith: .success) {
            for name in ["POISON", "ANSWER_POISON", "INGEST_POISON", "LAYOUT"] { unsetenv("FODC_TEST_\(name)") }
            let bytes = Array("anything".utf8)
            TestHooks.trapOnPoison(inRecord: bytes.span.bytes)
            TestHooks.trapOnPoison(inAnswer: bytes.span.bytes)
            TestHooks.trapOnPoison(inMessage: bytes.span.bytes)
            precondition(TestHooks.layoutVersion(7) == 7)
        }
    }

    @Test func testHooks_reportTheLayoutOfTheVariable() async {
        await #expect(processExitsWith: .success) {
            setenv("FODC_TEST_LAYOUT", "41", 1)
            precondition(TestHooks.layoutVersion(7) == 41)
            setenv("FODC_TEST_LAYOUT", "other", 1)
            precondition(TestHooks.layoutVersion(7) == 7)
        }
    }

    @Test func testHooks_ignoreOtherBytes() async {
        await #expect(processExitsWith: .success) {
            for name in ["POISON", "ANSWER_POISON", "INGEST_POISON"] { setenv("FODC_TEST_\(name)", "deadly", 1) }
            for text in ["", "deadl", "dead ly", "eadly", "ddeadl", "a deadlier thing"] {
                let bytes = Array(text.utf8)
                TestHooks.trapOnPoison(inRecord: bytes.span.bytes)
                TestHooks.trapOnPoison(inAnswer: bytes.span.bytes)
                TestHooks.trapOnPoison(inMessage: bytes.span.bytes)
            }
        }
    }

    @Test func testHooks_killTheProcessOnPoison() async throws {
        let record = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            setenv("FODC_TEST_POISON", "deadly", 1)
            let bytes = Array("a deadly record".utf8)
            TestHooks.trapOnPoison(inRecord: bytes.span.bytes)
        }
        #expect(Self.text(record).contains("the bytes of FODC_TEST_POISON were met"))
        let answer = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            setenv("FODC_TEST_ANSWER_POISON", "deadly", 1)
            let bytes = Array("deadly".utf8)
            TestHooks.trapOnPoison(inAnswer: bytes.span.bytes)
        }
        #expect(Self.text(answer).contains("the bytes of FODC_TEST_ANSWER_POISON were met"))
        let message = try await #require(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            setenv("FODC_TEST_INGEST_POISON", "deadly", 1)
            let bytes = Array("ddeadly".utf8)
            TestHooks.trapOnPoison(inMessage: bytes.span.bytes)
        }
        #expect(Self.text(message).contains("the bytes of FODC_TEST_INGEST_POISON were met"))
    }

    /// The outcome of the action is told, and the process lives.
    @Test func testHooks_doTheDeedInPlaceOfTheEnd() async throws {
        let done = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            setenv("FODC_TEST_POISON", "deadly", 1)
            setenv("FODC_TEST_DEED", "read-file /proc/self/stat", 1)
            let bytes = Array("deadly".utf8)
            TestHooks.trapOnPoison(inRecord: bytes.span.bytes)
        }
        #expect(Self.text(done).contains("deed read-file: done\n"))
        let refused = try await #require(processExitsWith: .success, observing: [\.standardErrorContent]) {
            setenv("FODC_TEST_INGEST_POISON", "deadly", 1)
            setenv("FODC_TEST_DEED", "read-file /no/such/file", 1)
            let bytes = Array("deadly".utf8)
            TestHooks.trapOnPoison(inMessage: bytes.span.bytes)
        }
        #expect(Self.text(refused).contains("deed read-file: refused, errno \(ENOENT)\n"))
    }

    @Test func testHooks_endWithoutANameOfADeed() async {
        await #expect(processExitsWith: .failure) {
            setenv("FODC_TEST_POISON", "deadly", 1)
            setenv("FODC_TEST_DEED", "", 1)
            let bytes = Array("deadly".utf8)
            TestHooks.trapOnPoison(inRecord: bytes.span.bytes)
        }
    }

    @Test func testHooks_missSandboxPartsThatAreNamed() async {
        await #expect(processExitsWith: .success) {
            unsetenv("FODC_TEST_SANDBOX_WITHOUT")
            precondition(!TestHooks.isSandboxPartMissing("seccomp"))
            setenv("FODC_TEST_SANDBOX_WITHOUT", "landlock,seccomp", 1)
            precondition(TestHooks.isSandboxPartMissing("seccomp") && TestHooks.isSandboxPartMissing("landlock"))
            precondition(!TestHooks.isSandboxPartMissing("land") && !TestHooks.isSandboxPartMissing(""))
        }
    }

    private static func text(_ result: ExitTest.Result) -> String {
        String(decoding: result.standardErrorContent, as: UTF8.self)
    }
}
