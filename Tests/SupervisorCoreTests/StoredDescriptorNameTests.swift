// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@testable import SupervisorCore

@Suite struct StoredDescriptorNameTests {
    @Test func storedDescriptorName_decodesToTheEncodedName() {
        for role in StoredDescriptorName.Role.allCases {
            for index in [0, role.limitCount - 1] {
                for generation in [1, 7, StoredDescriptorName.limitGeneration] {
                    let name = StoredDescriptorName(role, index, generation: generation)
                    #expect(StoredDescriptorName(name.description) == name)
                    #expect(DescriptorStore.isName(name.description))
                }
            }
        }
        #expect(StoredDescriptorName(.data, 3, generation: 7).description == "data-3.7")
        #expect(StoredDescriptorName("commandb-63.2") == StoredDescriptorName(.commandB, 63, generation: 2))
    }

    @Test(arguments: [
        "", "data", "up-1.1", "grpc", "data-", "data-1", "data-1.", "data-.1", "data-1.0", "data-64.1", "data--1.1",
        "data-+1.1", "data-01.1",
        "data-1.01",
        "data-1.1.1", "data-1-1.1", "data-1.18446744073709551615", "data-1.18446744073709551616",
        "data-9999999999999999999.1",
        "Data-1.1", "down-1.1",
        "state-1.1",
        "data-1.18446744073709551615", "data-1.9223372036854775808", "grpc-1.1", "data-1.1 ", " data-1.1", "data-1.1\n",
        "data-٣.1",
        "unknown", "stored", "data-1.-1", "data-0x1.1",
    ])
    func storedDescriptorName_rejectsOtherNames(text: String) {
        #expect(StoredDescriptorName(text) == nil)
    }
}
