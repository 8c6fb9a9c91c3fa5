// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics
import TestSupport
import Testing

@testable import BlackBox

struct RetentionTests {
    private static let day: Int64 = 86_400 * second
    private static let roomy = RetentionLimits(
        maximumBytes: 1 << 30, maximumAgeNanoseconds: 7 * day, profileBytes: 1 << 30, incidentCount: 1000)

    /// A store with samples of `nodes` nodes every 10 s until `until`, in chunks that are sealed.
    private static func filled(
        _ folder: BlackBoxFolder, nodes: Int, series: Int, until: Int64, _ generator: inout SeededGenerator
    ) throws -> (BlackBoxStore, [Int64]) {
        let store = try folder.open()
        var ids: [Int64] = []
        let table = try store.transaction { () throws(DatabaseError) in
            for node in 0..<nodes { ids.append(try store.storeNode(Fixture.node("pod-\(node)"), seenAtNanoseconds: 1)) }
            return try store.storeTable(Fixture.table(series), seriesCount: series)
        }
        for time in stride(from: 10, through: until, by: 10) {
            try store.transaction { () throws(DatabaseError) in
                for id in ids {
                    try store.append(Fixture.sample(series, at: time, &generator), node: id, table: table)
                }
            }
        }
        try store.transaction { () throws(DatabaseError) in for id in ids { try store.seal(id) } }
        return (store, ids)
    }

    private static func drop(_ store: BlackBoxStore, _ limits: RetentionLimits, now: Int64) throws -> RetentionOutcome {
        var sum = RetentionOutcome()
        while true {
            let step = try store.transaction { () throws(DatabaseError) in
                try store.dropExcess(limits, nowNanoseconds: now, inUse: [])
            }
            try store.shrink()
            sum.chunks += step.chunks
            sum.profiles += step.profiles
            sum.incidents += step.incidents
            sum.states += step.states
            if step.isDone { return sum }
        }
    }

    private static func times(_ folder: BlackBoxFolder, _ node: Int64) throws -> [Int64] {
        var times: [Int64] = []
        try folder.reader().samples(of: node, fromNanoseconds: .min, untilNanoseconds: .max) { _, chunk in
            times += chunk.rows.map { $0.receivedAtNanoseconds / second }
        }
        return times
    }

    @Test func retention_dropsExpiredData() throws {
        let folder = BlackBoxFolder()
        var generator = SeededGenerator(seed: 1)
        let (store, nodes) = try Self.filled(folder, nodes: 3, series: 4, until: 20_000, &generator)
        var limits = Self.roomy
        limits.maximumAgeNanoseconds = 5_000 * second
        let outcome = try Self.drop(store, limits, now: 20_000 * second)
        #expect(outcome.chunks > 3 * Int(BlackBoxStore.chunksPerStep) / 2)
        for node in nodes {
            let times = try Self.times(folder, node)
            #expect(times.last == 20_000)
            // A chunk goes as a whole, when the last of it is too old.
            let first = try #require(times.first)
            #expect(first > 15_000 - 330 && first <= 15_010)
            #expect(times == Array(stride(from: first, through: 20_000, by: 10)))
        }
        // Nothing is left of a node that is gone.
        try store.transaction { () throws(DatabaseError) in
            try store.noteNodeGone(nodes[0], atNanoseconds: 20_000 * second, cause: .evicted)
        }
        _ = try Self.drop(store, limits, now: 30_000 * second)
        #expect(try folder.reader().nodes().map(\.podName) == ["pod-1", "pod-2"])
        #expect(try store.database.integer("SELECT count(*) FROM series_tables") == 0)
    }

    @Test func retention_dropsTheOldestAboveTheSize() throws {
        let folder = BlackBoxFolder()
        var generator = SeededGenerator(seed: 2)
        let (store, nodes) = try Self.filled(folder, nodes: 2, series: 500, until: 6_400, &generator)
        let before = try store.usedBytes()
        var limits = Self.roomy
        limits.maximumBytes = before / 2
        _ = try Self.drop(store, limits, now: 6_400 * second)
        #expect(try store.usedBytes() <= limits.maximumBytes)
        #expect(try store.usedBytes() > limits.maximumBytes * 3 / 4)
        for node in nodes {
            let times = try Self.times(folder, node)
            #expect(times.last == 6_400)
            #expect(times == Array(stride(from: times[0], through: 6_400, by: 10)), "the oldest went")
        }
        for _ in 0..<64 { try store.shrink() }
        let free = try store.database.integer("PRAGMA freelist_count")
        #expect(free ?? .max <= BlackBoxStore.sparePages)
    }

    @Test func retention_keepsTheDataOfAnIncident() throws {
        let folder = BlackBoxFolder()
        var generator = SeededGenerator(seed: 3)
        let (store, nodes) = try Self.filled(folder, nodes: 3, series: 100, until: 10_000, &generator)
        var tracker = IncidentTracker()
        let change = tracker.happen(
            .init(.crash, "pod-0"), .init(nodeID: nodes[0], podName: "pod-0", cause: "panic"), at: 2_000 * second)
        try store.transaction { () throws(DatabaseError) in
            try store.storeIncident(change.incident, neighbours: [nodes[1]])
        }
        var limits = Self.roomy
        limits.maximumAgeNanoseconds = 1_000 * second
        _ = try Self.drop(store, limits, now: 10_000 * second)
        for node in nodes[0...1] {
            let times = Set(try Self.times(folder, node))
            #expect(times.isSuperset(of: stride(from: 1_100, through: 2_300, by: 10)))
            #expect(times.isDisjoint(with: stride(from: 3_000, through: 8_000, by: 10)))
            #expect(times.min() ?? 0 > 700)
        }
        #expect(try Self.times(folder, nodes[2]).min() ?? 0 > 8_600)
        // When there is no room for anything else, it lets go.
        limits.maximumBytes = 1
        limits.maximumAgeNanoseconds = Self.day
        _ = try Self.drop(store, limits, now: 10_000 * second)
        #expect(try Self.times(folder, nodes[0]).isEmpty)
        #expect(try folder.reader().incidents(limit: 10).map(\.id) == [change.incident.id], "the incident itself stays")
    }

    @Test func retention_keepsTheNewestIncidents() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        var tracker = IncidentTracker()
        var ids: [String] = []
        try store.transaction { () throws(DatabaseError) in
            for number in 0..<20 {
                let change = tracker.happen(
                    .init(.crash, "pod-\(number)"), .init(nodeID: 1, cause: "x"), at: Int64(number) * 3600 * second)
                ids.append(change.incident.id)
                try store.storeIncident(change.incident)
            }
        }
        var limits = Self.roomy
        limits.incidentCount = 5
        #expect(try Self.drop(store, limits, now: 0).incidents == 15)
        #expect(try folder.reader().incidents(limit: 100).map(\.id) == ids.suffix(5).reversed())
        #expect(try store.database.integer("SELECT count(*) FROM pins") == 5)
        let incident = try #require(try folder.reader().incident(ids[19]))
        #expect(incident.openedAtNanoseconds == 19 * 3600 * second)
        #expect((incident.kind, incident.nodeID, incident.cause, incident.occurrenceCount) == (.crash, 1, "x", 1))
    }

    @Test func retention_keepsTheNewestProfileOfEachNodeAndType() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        var generator = SeededGenerator(seed: 4)
        try store.transaction { () throws(DatabaseError) in
            for node in 1...2 as ClosedRange<Int64> {
                for number in 0..<4 as Range<Int64> {
                    let profile = ListedProfile(
                        profileID: "\(number)", type: "heap", capturedAtNanoseconds: 10 * number + node, record: [1])
                    #expect(try store.storeListing(profile, of: node, listedAtNanoseconds: 1))
                    #expect(try !store.storeListing(profile, of: node, listedAtNanoseconds: 1))
                    #expect(
                        try store.storeProfileBytes(
                            generator.bytes(10_000), of: node, profileID: "\(number)", type: "heap"))
                }
            }
            #expect(try !store.storeProfileBytes([1], of: 1, profileID: "none", type: "heap"))
        }
        var limits = Self.roomy
        limits.profileBytes = 45_000
        #expect(try Self.drop(store, limits, now: 0).profiles == 4)
        let reader = try folder.reader()
        for node in 1...2 as ClosedRange<Int64> {
            let kept = try (0..<4).filter { try reader.profile(of: node, profileID: "\($0)", type: "heap") != nil }
            #expect(kept == [2, 3])
        }
        limits.profileBytes = 25_000
        _ = try Self.drop(store, limits, now: 0)
        #expect(try reader.profile(of: 1, profileID: "3", type: "heap")?.count == 10_000)
        #expect(try reader.profile(of: 2, profileID: "3", type: "heap")?.count == 10_000)
    }
}
