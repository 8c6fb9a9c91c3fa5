// SPDX-License-Identifier: Apache-2.0
import Platform

/// For tests, in debug builds alone: a record whose payload holds the bytes of the environment's `FODC_TEST_POISON` kills
/// whoever reads it, as a fault in a parser would.
enum PoisonHook {
    #if DEBUG
        private static let poison = Array((ProcessEnvironment.value("FODC_TEST_POISON") ?? "").utf8)
    #endif

    @inline(__always)
    static func trap(on payload: RawSpan) {
        #if DEBUG
            guard !poison.isEmpty, payload.byteCount >= poison.count else { return }
            let bytes = payload.copiedBytes
            for start in 0...(bytes.count - poison.count)
            where bytes[start..<start + poison.count].elementsEqual(poison) {
                fatalError("a record with the bytes of FODC_TEST_POISON was read")
            }
        #endif
    }
}
