// SPDX-License-Identifier: Apache-2.0
import Platform

/// For tests, in debug builds alone: a message that holds the bytes of the environment's `FODC_TEST_INGEST_POISON` kills
/// the worker that takes it, as a fault in a parser would.
enum IngestPoisonHook {
    #if DEBUG
        private static let poison = Array((ProcessEnvironment.value("FODC_TEST_INGEST_POISON") ?? "").utf8)
    #endif

    @inline(__always)
    static func trap(on message: RawSpan) {
        #if DEBUG
            guard !poison.isEmpty, message.byteCount >= poison.count else { return }
            let bytes = message.copiedBytes
            for start in 0...(bytes.count - poison.count)
            where bytes[start] == poison[0] && bytes[start..<start + poison.count].elementsEqual(poison) {
                fatalError("a message with the bytes of FODC_TEST_INGEST_POISON has come")
            }
        #endif
    }
}
