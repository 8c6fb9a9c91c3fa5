// SPDX-License-Identifier: Apache-2.0
import Database
import Glibc
import Metrics
import TestSupport
import Testing

@testable import BlackBox

struct SampleStoreTests {
    /// All samples of a node, in the order in which they are read.
    private static func samples(_ reader: BlackBoxReader, _ node: Int64) throws -> [SampleColumns] {
        var samples: [SampleColumns] = []
        try reader.samples(of: node, fromNanoseconds: .min, untilNanoseconds: .max) { _, chunk in
            samples += chunk.rows.indices.map(chunk.sample)
        }
        return samples
    }

    @Test(arguments: 0..<8)
    func blackBoxStore_keepsEverySampleHoweverTheProcessEnds(seed: UInt64) throws {
        let folder = BlackBoxFolder()
        var generator = SeededGenerator(seed: seed)
        var wanted: [[SampleColumns]] = [[], [], []]
        var opened: BlackBoxStore? = try folder.open()
        var store: BlackBoxStore { opened! }
        var tables: [StoredTable] = []
        for count in [3, 5] {
            let table = try store.transaction { () throws(DatabaseError) in
                try store.storeTable(Fixture.table(count), seriesCount: count)
            }
            tables.append(table)
        }
        let nodes = try ["pod-a", "pod-b", "pod-c"].map { pod in
            try store.transaction { () throws(DatabaseError) in
                try store.storeNode(Fixture.node(pod), seenAtNanoseconds: 1)
            }
        }
        for time in 1..<200 as Range<Int64> {
            // Gone without a word, as after `kill -9`: nothing is in the object that is not in the file.
            if generator.chance(0.05) {
                opened = nil
                opened = try folder.open()
            }
            let fails = generator.chance(0.1)
            var added: [(Int, SampleColumns)] = []
            do throws(DatabaseError) {
                try store.transaction { () throws(DatabaseError) in
                    for place in nodes.indices where generator.chance(0.8) {
                        let table = tables[generator.chance(0.05) ? 1 : 0]
                        let sample = Fixture.sample(table.seriesCount, at: time, &generator)
                        try store.append(sample, node: nodes[place], table: table)
                        added.append((place, sample))
                    }
                    if fails { throw DatabaseError(.full, action: "commit", reason: "the test says so") }
                }
                for (place, sample) in added { wanted[place].append(sample) }
            } catch {
                #expect(fails, "\(error)")
            }
        }
        let reader = try folder.reader()
        for place in nodes.indices {
            #expect(try Self.samples(reader, nodes[place]) == wanted[place], "seed \(seed), node \(place)")
            #expect(try store.lastSampleNanoseconds(of: nodes[place]) == wanted[place].last?.receivedAtNanoseconds)
            let extent = try #require(try reader.extent(of: nodes[place]))
            #expect(extent.sampleCount == wanted[place].reduce(0) { $0 + Int64($1.valueBits.count) })
            #expect(extent.firstNanoseconds == wanted[place].first?.receivedAtNanoseconds)
        }
        #expect(reader.damagedCount == 0 && store.damagedCount == 0)
    }

    @Test func blackBoxStore_readsOnlyTheRequestedTime() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        var generator = SeededGenerator(seed: 1)
        let node = try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(Fixture.node(), seenAtNanoseconds: 1)
            let table = try store.storeTable(Fixture.table(4), seriesCount: 4)
            for time in 1...100 as ClosedRange<Int64> {
                try store.append(Fixture.sample(4, at: time * 10, &generator), node: node, table: table)
            }
            return node
        }
        let reader = try folder.reader()
        var times: [Int64] = []
        try reader.samples(of: node, fromNanoseconds: 95 * second, untilNanoseconds: 400 * second) { tableID, chunk in
            #expect(chunk.rows.count <= SampleChunk.maximumRows)
            #expect(tableID == 1)
            times += chunk.rows.map { $0.receivedAtNanoseconds / second }
        }
        #expect(times == Array(stride(from: 100, through: 400, by: 10)))
    }

    @Test func blackBoxStore_storesEqualTablesOnce() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        let tables = try store.transaction { () throws(DatabaseError) in
            [
                try store.storeTable(Fixture.table(4, number: 1), seriesCount: 4),
                try store.storeTable(Fixture.table(4, number: 77), seriesCount: 4),
                try store.storeTable(Fixture.table(5, number: 78), seriesCount: 5),
            ]
        }
        #expect(tables[0] == tables[1])
        #expect(tables[0] != tables[2])
        let table = try #require(try folder.reader().table(tables[2].id))
        #expect(table.seriesCount == 5)
        #expect(table.number == 0)
    }

    @Test func blackBoxStore_skipsDamagedChunks() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        var generator = SeededGenerator(seed: 2)
        let node = try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(Fixture.node(), seenAtNanoseconds: 1)
            let table = try store.storeTable(Fixture.table(4), seriesCount: 4)
            for time in 1...10 as ClosedRange<Int64> {
                try store.append(Fixture.sample(4, at: time, &generator), node: node, table: table)
                if time == 5 { try store.seal(node) }
            }
            return node
        }
        let database = try Database(path: folder.database, access: .readWrite)
        try database.run("UPDATE sample_chunks SET data = x'00112233' WHERE id = 1")
        try database.run("UPDATE recent_samples SET data = zeroblob(100) WHERE number = 2")
        let reader = try folder.reader()
        let count = try reader.nodes().first.map { node in
            var count = 0
            try reader.samples(of: node.id, fromNanoseconds: .min, untilNanoseconds: .max) { _, chunk in
                count += chunk.rows.count
            }
            return count
        }
        #expect(count == 5, "three of the chunk that is whole, and the two rows before the damaged one")
        #expect(reader.damagedCount == 4)
        // The writer goes on with what is whole.
        try store.transaction { () throws(DatabaseError) in try store.seal(node) }
        #expect(store.damagedCount == 3)
    }
}

struct NodeStoreTests {
    @Test func blackBoxStore_recognisesAReturningNode() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        var moved = Fixture.node()
        moved.role = "ROLE_LIAISON"
        moved.address = "10.0.0.2:2"
        let ids = try store.transaction { () throws(DatabaseError) in
            let first = try store.storeNode(Fixture.node(), seenAtNanoseconds: 10)
            try store.noteNodeGone(first, atNanoseconds: 15, cause: .keepalive)
            let gone = try folder.reader().nodes()
            #expect(gone.isEmpty, "nothing is seen before the commit")
            return (first, try store.storeNode(Fixture.node("pod-b"), seenAtNanoseconds: 20))
        }
        #expect(ids.0 != ids.1)
        var node = try #require(try folder.reader().nodes(podName: "pod-a").first)
        #expect(node.goneAtNanoseconds == 15)
        #expect(node.goneReason == "keepalive")
        #expect(node.labelsJSON == #"{"node_zone":"a\"b"}"#)
        #expect(node.containerNamesJSON == #"["data"]"#)
        let again = try store.transaction { () throws(DatabaseError) in
            try store.storeNode(moved, seenAtNanoseconds: 30)
        }
        #expect(again == ids.0)
        node = try #require(try folder.reader().nodes(podName: "pod-a").first)
        #expect(node.goneAtNanoseconds == nil)
        #expect(node.goneCount == 1)
        #expect(node.role == "ROLE_LIAISON")
        #expect((node.firstSeenNanoseconds, node.lastSeenNanoseconds) == (10, 30))
    }

    @Test func blackBoxStore_storesOnlyChangedAnswers() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        try store.transaction { () throws(DatabaseError) in
            let node = try store.storeNode(Fixture.node(), seenAtNanoseconds: 1)
            let other = try store.storeNode(Fixture.node("pod-b"), seenAtNanoseconds: 1)
            #expect(try store.storeState([1, 2], of: node, kind: "topology", sinceNanoseconds: 1))
            #expect(try !store.storeState([1, 2], of: node, kind: "topology", sinceNanoseconds: 2))
            #expect(try store.storeState([1, 2], of: node, kind: "lifecycle", sinceNanoseconds: 2))
            #expect(try store.storeState([1, 2], of: other, kind: "topology", sinceNanoseconds: 2))
            #expect(
                try !store.storeState([2, 1], of: node, kind: "topology", sinceNanoseconds: 3) { Set($0) == Set($1) })
            #expect(try store.storeState([3], of: node, kind: "topology", sinceNanoseconds: 3) { Set($0) == Set($1) })
            #expect(try store.latestState(of: node, kind: "topology")?.message == [3])

            #expect(try store.storeCrashRecord([1], of: node, subject: .max, receivedAtNanoseconds: 1))
            #expect(try !store.storeCrashRecord([1, 2], of: node, subject: .max, receivedAtNanoseconds: 2))
            #expect(try store.storeCrashRecord([1], of: other, subject: .max, receivedAtNanoseconds: 2))
        }
    }
}
