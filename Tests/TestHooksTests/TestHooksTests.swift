// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestHooks
import Testing

/// Faults on demand. Each test has a process of its own: the variables are read once, and a fault is its end.
@Suite struct TestHooksTests {
    @Test func variables_areThoseOfHooks() {
        #expect(TestHooks.isVariable("FODC_TEST_POISON"))
        #expect(!TestHooks.isVariable("FODC_MAX_AGENTS") && !TestHooks.isVariable("TEST"))
    }

    @Test func withoutVariables_nothingHappens() async {
        await #expect(processExitsWith: .success) {
            for name in ["POISON", "ANSWER_POISON", "INGEST_POISON", "LAYOUT"] { unsetenv("FODC_TEST_\(name)") }
            let bytes = Array("anything".utf8)
            TestHooks.trapOnPoison(inRecord: bytes.span.bytes)
            TestHooks.trapOnPoison(inAnswer: bytes.span.bytes)
            TestHooks.trapOnPoison(inMessage: bytes.span.bytes)
            precondition(TestHooks.layoutVersion(7) == 7)
        }
    }

    @Test func layout_isWhatTheVariableSays() async {
        await #expect(processExitsWith: .success) {
            setenv("FODC_TEST_LAYOUT", "41", 1)
            precondition(TestHooks.layoutVersion(7) == 41)
            setenv("FODC_TEST_LAYOUT", "other", 1)
            precondition(TestHooks.layoutVersion(7) == 7)
        }
    }

    @Test func bytesThatAreNotThePoison_areBorne() async {
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

    @Test func poison_killsWhereItIsFound() async {
        await #expect(processExitsWith: .failure) {
            setenv("FODC_TEST_POISON", "deadly", 1)
            let bytes = Array("a deadly record".utf8)
            TestHooks.trapOnPoison(inRecord: bytes.span.bytes)
        }
        await #expect(processExitsWith: .failure) {
            setenv("FODC_TEST_ANSWER_POISON", "deadly", 1)
            let bytes = Array("deadly".utf8)
            TestHooks.trapOnPoison(inAnswer: bytes.span.bytes)
        }
        await #expect(processExitsWith: .failure) {
            setenv("FODC_TEST_INGEST_POISON", "deadly", 1)
            let bytes = Array("ddeadly".utf8)
            TestHooks.trapOnPoison(inMessage: bytes.span.bytes)
        }
    }
}
