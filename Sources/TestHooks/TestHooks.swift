// SPDX-License-Identifier: Apache-2.0
import Platform

#if DEBUG
    import CTestHooks
#endif

/// Faults that tests ask for with `FODC_TEST_…` variables of the environment.
///
/// Only debug builds have them. In a release build each of these functions is empty and inlined, so that neither the names
/// of the variables nor the code behind them is in the programs (`Tests/e2e/test_hooks.py` looks).
public enum TestHooks {}

#if DEBUG
    extension TestHooks {
        /// Traps if `payload` holds the bytes of `FODC_TEST_POISON`, as a fault in the exporter's parsers would.
        public static func trapOnPoison(inRecord payload: RawSpan) {
            recordPoison.trap(ifIn: payload)
        }

        /// Traps if `payload` holds the bytes of `FODC_TEST_RECORDER_POISON`, as a fault in the recorder's parsers would.
        public static func trapOnPoison(inRecorded payload: RawSpan) {
            recordedPoison.trap(ifIn: payload)
        }

        /// Traps if `answer` holds the bytes of `FODC_TEST_ANSWER_POISON`, as a fault in the making of HTTP answers would.
        public static func trapOnPoison(inAnswer answer: RawSpan) {
            answerPoison.trap(ifIn: answer)
        }

        /// Traps if `message` holds the bytes of `FODC_TEST_INGEST_POISON`, as a fault in ingest's parsers would.
        public static func trapOnPoison(inMessage message: RawSpan) {
            messagePoison.trap(ifIn: message)
        }

        /// The number of `FODC_TEST_LAYOUT` instead of `version`, so that a test sees what another layout leads to.
        public static func layoutVersion(_ version: UInt64) -> UInt64 {
            ProcessEnvironment.value("FODC_TEST_LAYOUT").flatMap { UInt64($0) } ?? version
        }

        /// Whether `FODC_TEST_SANDBOX_WITHOUT` names this part of the sandbox, with commas between several.
        public static func isSandboxPartMissing(_ name: String) -> Bool {
            (ProcessEnvironment.value("FODC_TEST_SANDBOX_WITHOUT") ?? "").split(separator: ",").contains { $0 == name }
        }

        /// Whether a variable is of a test hook of this build.
        public static func isVariable(_ name: String) -> Bool { name.hasPrefix("FODC_TEST_") }

        private static let recordPoison = Poison(variable: "FODC_TEST_POISON")
        private static let recordedPoison = Poison(variable: "FODC_TEST_RECORDER_POISON")
        private static let answerPoison = Poison(variable: "FODC_TEST_ANSWER_POISON")
        private static let messagePoison = Poison(variable: "FODC_TEST_INGEST_POISON")
    }

    /// The action that a process takes when it finds its poison, instead of ending. `FODC_TEST_DEED` has a name of
    /// `fodc_test_deeds.c` and the action's target, with a blank between them. The result is a line on standard error.
    private enum Deed {
        static var isDone: Bool {
            guard let words = ProcessEnvironment.value("FODC_TEST_DEED")?.split(separator: " "), let name = words.first
            else { return false }
            let code = fodc_test_deed(String(name), words.count > 1 ? String(words[1]) : "")
            let outcome = code == 0 ? "done" : "refused, errno \(code)"
            _ = StandardError.write(Array("deed \(name): \(outcome)\n".utf8))
            return true
        }
    }

    /// Bytes that kill the process that finds them.
    private struct Poison {
        private let variable: String
        private let bytes: [UInt8]

        init(variable: String) {
            self.variable = variable
            bytes = Array((ProcessEnvironment.value(variable) ?? "").utf8)
        }

        /// Ends the process if the bytes are in `input`, unless the test wants another action.
        func trap(ifIn input: RawSpan) {
            if isContained(in: input), !Deed.isDone { fatalError("the bytes of \(variable) were met") }
        }

        private func isContained(in input: RawSpan) -> Bool {
            guard let first = bytes.first, input.byteCount >= bytes.count else { return false }
            let input = input.copiedBytes
            return (0...(input.count - bytes.count)).contains { start in
                input[start] == first && input[start..<start + bytes.count].elementsEqual(bytes)
            }
        }
    }
#else
    extension TestHooks {
        @inlinable @inline(__always)
        public static func trapOnPoison(inRecord payload: RawSpan) {}

        @inlinable @inline(__always)
        public static func trapOnPoison(inRecorded payload: RawSpan) {}

        @inlinable @inline(__always)
        public static func trapOnPoison(inAnswer answer: RawSpan) {}

        @inlinable @inline(__always)
        public static func trapOnPoison(inMessage message: RawSpan) {}

        @inlinable @inline(__always)
        public static func layoutVersion(_ version: UInt64) -> UInt64 { version }

        @inlinable @inline(__always)
        public static func isSandboxPartMissing(_ name: String) -> Bool { false }

        @inlinable @inline(__always)
        public static func isVariable(_ name: String) -> Bool { false }
    }
#endif
