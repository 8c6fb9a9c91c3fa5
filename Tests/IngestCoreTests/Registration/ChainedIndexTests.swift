// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import IngestCore

@Suite struct ChainedIndexTests {
    @Test func chainedIndex_yieldsTheNewestNodeFirst() {
        var index = ChainedIndex<String>()
        for (node, key) in ["a", "b", "a", "a"].enumerated() { index.insert(node, key: key) }
        #expect(Array(index.nodes(of: "a")) == [3, 2, 0])
        #expect(Array(index.nodes(of: "b")) == [1])
        #expect(Array(index.nodes(of: "c")).isEmpty)
    }

    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]])
    func chainedIndex_removesNodesInAnyOrder(_ order: [Int]) {
        var index = ChainedIndex<Int>()
        for node in 0..<3 { index.insert(node, key: 9) }
        var left = [2, 1, 0]
        for node in order {
            index.remove(node, key: 9)
            left.removeAll { $0 == node }
            #expect(Array(index.nodes(of: 9)) == left)
        }
        index.insert(1, key: 9)
        #expect(Array(index.nodes(of: 9)) == [1])
    }

    @Test func chainedIndex_boundsALookup() {
        var index = ChainedIndex<Int>()
        let count = ChainedIndex<Int>.longestLookup
        for node in 0...count { index.insert(node, key: 1) }
        #expect(Array(index.nodes(of: 1)) == Array((1...count).reversed()))
    }
}
