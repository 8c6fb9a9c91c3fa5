// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import Supervision

@Suite struct StoredNameTests {
    @Test func everyNameIsReadBack() {
        for role in StoredName.Role.allCases {
            for index in [0, role.limitCount - 1] {
                for generation in [1, 7, StoredName.limitGeneration] {
                    let name = StoredName(role, index, generation: generation)
                    #expect(StoredName(name.description) == name)
                    #expect(DescriptorStore.isName(name.description))
                }
            }
        }
        #expect(StoredName(.up, 3, generation: 7).description == "up-3.7")
        #expect(StoredName("downb-63.2") == StoredName(.downB, 63, generation: 2))
    }

    @Test(arguments: [
        "", "up", "grpc", "up-", "up-1", "up-1.", "up-.1", "up-1.0", "up-64.1", "up--1.1", "up-+1.1", "up-01.1",
        "up-1.01",
        "up-1.1.1", "up-1-1.1", "up-1.18446744073709551615", "up-1.18446744073709551616", "up-9999999999999999999.1",
        "Up-1.1", "down-1.1",
        "state-1.1",
        "up-1.18446744073709551615", "up-1.9223372036854775808", "grpc-1.1", "up-1.1 ", " up-1.1", "up-1.1\n", "up-٣.1",
        "unknown", "stored", "up-1.-1", "up-0x1.1",
    ])
    func nothingElseIsOne(text: String) {
        #expect(StoredName(text) == nil)
    }
}
