// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Rings

@Suite struct AgentIDTests {
    @Test func agentID_readsAndWritesItsText() throws {
        let text = "0123456f-89ab-4cde-8f01-23456789abcd"
        let id = try #require(AgentID(text))
        #expect(id == AgentID(high: 0x0123_456F_89AB_4CDE, low: 0x8F01_2345_6789_ABCD))
        #expect(id.description == text)
        #expect(AgentID(text.uppercased()) == id)
    }

    @Test(arguments: [
        "", "0123456f-89ab-4cde-8f01-23456789abc", "0123456f-89ab-4cde-8f01-23456789abcde",
        "0123456f89ab-4cde-8f01-23456789abcde-", "0123456f-89ab-4cde-8f01-23456789abcg",
        "0123456f-89ab-4cde-8f01-23456789abc-", "{123456f-89ab-4cde-8f01-23456789abcd",
    ])
    func agentID_rejectsOtherText(_ text: String) {
        #expect(AgentID(text) == nil)
    }
}
