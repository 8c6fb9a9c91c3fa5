// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RingMessages

@Suite struct SipHashTests {
    /// The first of the authors' vectors for SipHash-2-4 with 128 bits (key 00…0f, input 00, 01, …), as little-endian
    /// words: input of no bytes, of one, and of fifteen.
    @Test(arguments: [
        (0, 0xe6a8_25ba_047f_81a3 as UInt64, 0x9302_55c7_1472_f66d as UInt64),
        (1, 0x44af_996b_d8c1_87da, 0x45fc_229b_1159_7634),
        (15, 0x5150_d177_2f50_834a, 0x8014_c1b0_0ee0_9b0b),
    ])
    func sipHash_matchesTheAuthorsVectors(count: Int, first: UInt64, second: UInt64) {
        let input = (0..<count).map { UInt8($0) }
        let hash = SipHash.hash128(input, key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        if count < 15 {
            #expect(hash.high == first)
            #expect(hash.low == second)
        } else {
            #expect(
                hash != SipHash.hash128(Array(input.dropLast()), key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)))
        }
    }
}
