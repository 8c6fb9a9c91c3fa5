// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

struct ClampedArithmeticTests {
    @Test func clampedArithmetic_staysInsideOfItsType() {
        #expect(Int64(5).addingClamped(-7) == -2 && Int64(5).subtractingClamped(-7) == 12)
        #expect(Int64.max.addingClamped(1) == .max && Int64.min.addingClamped(-1) == .min)
        #expect(Int64.max.subtractingClamped(.min) == .max && Int64.min.subtractingClamped(.max) == .min)
        #expect(Int64(0).subtractingClamped(.min) == .max && Int64(-1).subtractingClamped(.min) == .max)
        #expect(UInt64.max.addingClamped(1) == .max && UInt64(3).subtractingClamped(4) == .min)
    }
}
