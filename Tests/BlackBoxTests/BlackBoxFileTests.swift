// SPDX-License-Identifier: Apache-2.0
import Database
import Glibc
import Metrics
import Platform
import TestSupport
import Testing

@testable import BlackBox

struct BlackBoxFileTests {
    private static func cause(_ folder: BlackBoxFolder) -> DatabaseError.Cause? {
        do throws(DatabaseError) {
            _ = try folder.open()
            return nil
        } catch {
            return error.cause
        }
    }

    @Test func blackBoxStore_refusesAFileOfALaterSchema() throws {
        let folder = BlackBoxFolder()
        _ = try folder.open()
        try Database(path: folder.database, access: .readWrite).execute(
            "PRAGMA user_version = \(BlackBoxSchema.version + 1)")
        #expect(Self.cause(folder) == .newerSchema)
        #expect(throws: DatabaseError.self) { try folder.reader() }
    }

    @Test func blackBoxStore_refusesAFileOfAnotherProgram() throws {
        let folder = BlackBoxFolder()
        try Database(path: folder.database, access: .readWrite).execute("CREATE TABLE things (id INTEGER)")
        #expect(Self.cause(folder) == .foreign)
    }

    @Test func blackBoxStore_refusesASecondWriter() throws {
        let folder = BlackBoxFolder()
        let store = try folder.open()
        #expect(Self.cause(folder) == .locked)
        _ = try folder.reader()
        withExtendedLifetime(store) {}
    }

    @Test func blackBoxFile_movesADamagedFileAside() throws {
        let folder = BlackBoxFolder()
        for date in [1_796_004_796, 1_796_004_896] as [Int64] {
            try SmallFile.replace(folder.database, with: [UInt8](repeating: 65, count: 8192), mode: 0o600)
            #expect(Self.cause(folder) == .corrupt)
            let place = try BlackBoxFile.setAside(in: folder.path, nowSeconds: date)
            #expect(place.hasSuffix(date == 1_796_004_796 ? "20261130T021316Z" : "20261130T021456Z"))
            #expect(Self.cause(folder) == nil)
            try #require(unlink(folder.database) == 0)
        }
        #expect(folder.names.filter { $0.contains("damaged") } == ["black-box.db.damaged-20261130T021456Z"])
    }

    /// Random bytes anywhere in the file: reading and writing end in a result or an error with a cause.
    @Test(arguments: 0..<100)
    func blackBoxStore_survivesRandomBytes(seed: UInt64) throws {
        let folder = BlackBoxFolder()
        var generator = SeededGenerator(seed: seed)
        try { () throws in
            let store = try folder.open()
            let table = try store.transaction { () throws(DatabaseError) in
                try store.storeTable(Fixture.table(50), seriesCount: 50)
            }
            for time in 1...100 as ClosedRange<Int64> {
                try store.transaction { () throws(DatabaseError) in
                    for pod in 0..<4 {
                        let node = try store.storeNode(Fixture.node("pod-\(pod)"), seenAtNanoseconds: time)
                        try store.append(Fixture.sample(50, at: time, &generator), node: node, table: table)
                    }
                }
            }
        }()
        var bytes = try SmallFile.read(folder.database, limitBytes: 64 << 20)
        for _ in 0..<(1 << generator.below(10)) { bytes[generator.below(bytes.count)] = UInt8(generator.below(256)) }
        try SmallFile.replace(folder.database, with: bytes, mode: 0o600)
        do throws(DatabaseError) {
            let reader = try folder.reader()
            for node in try reader.nodes() {
                try reader.samples(of: node.id, fromNanoseconds: .min, untilNanoseconds: .max) {
                    tableID, _ throws(DatabaseError) in
                    _ = try reader.table(tableID)
                }
                _ = try reader.extent(of: node.id)
            }
            let store = try folder.open()
            try store.transaction { () throws(DatabaseError) in
                for pod in 0..<4 {
                    let node = try store.storeNode(Fixture.node("pod-\(pod)"), seenAtNanoseconds: 1)
                    try store.seal(node)
                }
                _ = try store.dropExcess(
                    .init(maximumBytes: 1, maximumAgeNanoseconds: 1, profileBytes: 1, incidentCount: 1),
                    nowNanoseconds: 1 << 60, inUse: [])
            }
        } catch {
            #expect(
                [.corrupt, .foreign, .newerSchema, .cannotOpen, .other].contains(error.cause), "seed \(seed): \(error)")
        }
    }

    /// Copies of the files at any moment, as a loss of power leaves them, open with all that was committed by then.
    @Test func blackBoxStore_isConsistentAfterALossOfPower() throws {
        let folder = BlackBoxFolder()
        let copy = BlackBoxFolder()
        var generator = SeededGenerator(seed: 5)
        let store = try folder.open()
        let (node, table) = try store.transaction { () throws(DatabaseError) in
            (
                try store.storeNode(Fixture.node(), seenAtNanoseconds: 1),
                try store.storeTable(Fixture.table(200), seriesCount: 200)
            )
        }
        for time in 1...300 as ClosedRange<Int64> {
            try store.transaction { () throws(DatabaseError) in
                try store.append(Fixture.sample(200, at: time, &generator), node: node, table: table)
                try store.setRingPosition(.init(begunAtNanoseconds: 1, position: UInt64(time)), worker: 0)
            }
            guard time % 7 == 0 else { continue }
            for name in copy.names { unlink("\(copy.path)/\(name)") }
            for suffix in ["", "-wal"] {
                let bytes = try SmallFile.read(folder.database + suffix, limitBytes: 64 << 20)
                try SmallFile.replace(copy.database + suffix, with: bytes, mode: 0o600)
            }
            let opened = try copy.open()
            #expect(try opened.ringPosition(worker: 0)?.position == UInt64(time))
            #expect(try copy.reader().extent(of: node)?.sampleCount == time * 200)
            #expect(try opened.database.text("PRAGMA integrity_check") == "ok")
        }
    }
}
