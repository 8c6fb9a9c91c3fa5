// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AgentSimulation

@Suite struct RoleMixTests {
    @Test func roleMix_readsWeights() throws {
        let mix = try #require(RoleMix("liaison=1,hot=2,cold=0,warm"))
        #expect(mix.turn == [.liaison, .hot, .hot, .warm])
    }

    @Test(arguments: [
        "", "hot=", "hot=-1", "hot=1001", "hot=1,hot=2", "tepid=1", "hot=0", "hot=1,,warm=1", "=1", "hot=1=1",
    ])
    func roleMix_rejectsInvalidText(_ text: String) {
        #expect(RoleMix(text) == nil)
    }

    @Test func roleMix_numbersEachKindWithoutGaps() throws {
        let mix = try #require(RoleMix("hot=2,liaison=1,warm=3"))
        var names: Set<String> = []
        for index in 0..<600 {
            names.insert(SimulatedIdentity(index: index, mix: mix, podPrefix: "banyandb").podName)
        }
        let expected =
            (0..<200).map { "banyandb-data-hot-\($0)" } + (0..<100).map { "banyandb-liaison-\($0)" }
            + (0..<300).map { "banyandb-data-warm-\($0)" }
        #expect(names == Set(expected))
    }

    @Test func roleMix_defaultIsThatOfTheFlag() {
        #expect(RoleMix("liaison=1,hot=2,warm=1,cold=1") == RoleMix.standard)
    }
}
