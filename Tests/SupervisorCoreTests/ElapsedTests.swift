// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@Suite struct ElapsedTests {
    @Test func elapsed_isZeroForAFutureTime() {
        #expect(UInt64(7).elapsed(since: 3) == 4)
        #expect(UInt64(7).elapsed(since: 7) == 0)
        #expect(UInt64(3).elapsed(since: 7) == 0)
        #expect(UInt64.min.elapsed(since: .max) == 0)
        #expect(UInt64.max.elapsed(since: .min) == .max)
    }
}
