// SPDX-License-Identifier: Apache-2.0
import Database
import Metrics
import TestSupport
import Testing
import Zstandard

@testable import BlackBox

/// Databases of earlier versions are read, and go on as ones of this version.
struct EarlierVersionTests {
    /// Chunks of version 1: each value XOR the one before it.
    private static func encode(
        _ chunk: SampleChunk, after before: SampleColumns? = nil, _ zstd: ZstdCodec
    ) -> [UInt8] {
        var bytes: [UInt8] = [1] + Self.bytes(UInt32(chunk.rows.count)) + Self.bytes(UInt32(chunk.seriesCount))
        bytes.append(chunk.timeOffsets.isEmpty ? 0 : 1)
        for row in chunk.rows {
            bytes += Self.bytes(row.receivedAtNanoseconds) + Self.bytes(row.commonTimeMicroseconds)
            bytes.append(row.hasTimes ? 1 : 0)
        }
        func appendPlanes(_ words: [UInt64], _ before: [UInt64]?) {
            var planes = [[UInt8]](repeating: [], count: 8)
            for index in 0..<chunk.seriesCount {
                var last = before?[index] ?? 0
                for row in chunk.rows.indices {
                    let word = words[row * chunk.seriesCount + index]
                    for plane in 0..<8 { planes[plane].append(UInt8(truncatingIfNeeded: (word ^ last) >> (8 * plane))) }
                    last = word
                }
            }
            bytes += planes.joined()
        }
        appendPlanes(chunk.valueBits, before?.valueBits)
        if !chunk.timeOffsets.isEmpty {
            let times = before.flatMap { sample in
                sample.timesMicroseconds.isEmpty
                    ? nil
                    : sample.timesMicroseconds.map { UInt64(bitPattern: $0 &- sample.commonTimeMicroseconds) }
            }
            appendPlanes(chunk.timeOffsets.map(UInt64.init(bitPattern:)), times)
        }
        return zstd.compress(bytes.span.bytes)
    }

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    private static func samples(_ count: Int, _ generator: inout SeededGenerator) -> [SampleColumns] {
        (1...count).map { Fixture.sample(5, at: Int64($0) * 10, &generator, hasTimes: generator.chance(0.3)) }
    }

    /// As the first version wrote it: six samples in a chunk, four in none yet.
    private static func fill(_ folder: BlackBoxFolder, _ wanted: [SampleColumns], version: Int) throws -> Int64 {
        let zstd = try #require(ZstdCodec())
        let store = try folder.open()
        let (node, table) = try store.transaction { () throws(DatabaseError) in
            (
                try store.storeNode(Fixture.node(), seenAtNanoseconds: 1),
                try store.storeTable(Fixture.table(5), seriesCount: 5)
            )
        }
        func chunk(_ samples: ArraySlice<SampleColumns>) -> SampleChunk {
            var chunk = SampleChunk(seriesCount: 5)
            for sample in samples { chunk.append(sample) }
            return chunk
        }
        let database = store.database
        try database.run(
            "INSERT INTO sample_chunks (node_id, series_table_id, first_at, last_at, row_count, data) VALUES (?, ?, ?, ?, 6, ?)",
            .integer(node), .integer(table.id), .integer(wanted[0].receivedAtNanoseconds),
            .integer(wanted[5].receivedAtNanoseconds), .bytes(Self.encode(chunk(wanted[0..<6]), zstd)))
        for number in 6..<10 {
            let data = Self.encode(chunk(wanted[number...number]), after: number == 6 ? nil : wanted[number - 1], zstd)
            try database.run(
                "INSERT INTO recent_samples (node_id, number, series_table_id, received_at, data) VALUES (?, ?, ?, ?, ?)",
                .integer(node), .integer(Int64(number - 6)), .integer(table.id),
                .integer(wanted[number].receivedAtNanoseconds), .bytes(data))
        }
        if version < 2 { try database.execute("DROP TABLE sample_gaps") }
        try database.execute("PRAGMA user_version = \(version)")
        return node
    }

    private static func read(_ folder: BlackBoxFolder, _ node: Int64) throws -> [SampleColumns] {
        let reader = try folder.reader()
        var found: [SampleColumns] = []
        try reader.samples(of: node, fromNanoseconds: .min, untilNanoseconds: .max) { _, chunk in
            found += chunk.rows.indices.map(chunk.sample)
        }
        #expect(reader.damagedCount == 0)
        return found
    }

    @Test(arguments: [1, 2], 0..<6 as Range<UInt64>)
    func blackBoxStore_goesOnWithADatabaseOfAnEarlierVersion(version: Int, seed: UInt64) throws {
        let folder = BlackBoxFolder()
        var generator = SeededGenerator(seed: seed)
        let wanted = Self.samples(12, &generator)
        let node = try Self.fill(folder, wanted, version: version)
        // A copy on another machine, which nobody writes to.
        #expect(try Self.read(folder, node) == Array(wanted.prefix(10)))
        #expect(try folder.reader().incidents(limit: 1).isEmpty)

        let store = try folder.open()
        #expect(try store.database.integer("PRAGMA user_version") == BlackBoxSchema.version)
        #expect(try store.gaps().isEmpty)
        #expect(try store.lastSampleTimes(of: node)?.receivedNanoseconds == wanted[9].receivedAtNanoseconds)
        try store.transaction { () throws(DatabaseError) in
            let table = try store.storeTable(Fixture.table(5), seriesCount: 5)
            for sample in wanted[10...] { try store.append(sample, node: node, table: table) }
        }
        #expect(try Self.read(folder, node) == wanted)
        #expect(try store.database.integer("SELECT count(*) FROM sample_chunks") == 2)
    }

    /// A chunk that version 1 has written: two samples of one series.
    @Test func chunkCodec_readsTheBytesOfVersionOne() throws {
        let zstd = try #require(ZstdCodec())
        let content: [UInt8] =
            [1, 2, 0, 0, 0, 1, 0, 0, 0, 0]
            + [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]
            + [3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]
            // The stale marker, then 1.5: the planes from the lowest byte on, two rows each.
            + [2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x08, 0x7f, 0x40]
        let frame = zstd.compress(content.span.bytes)
        let decoded = ChunkCodec(zstd).decode(frame.span.bytes)
        let chunk = try #require(decoded)
        #expect(chunk.valueBits == [0x7ff0_0000_0000_0002, Double(1.5).bitPattern])
        #expect(chunk.rows.map(\.receivedAtNanoseconds) == [1, 3])
        #expect(chunk.rows.map(\.commonTimeMicroseconds) == [2, 4])
    }

    @Test(arguments: [0, -1])
    func blackBoxStore_refusesAVersionThatNeverWas(version: Int) throws {
        let folder = BlackBoxFolder()
        _ = try folder.open()
        try Database(path: folder.database, access: .readWrite).execute("PRAGMA user_version = \(version)")
        #expect(throws: DatabaseError.self) { try folder.open() }
        #expect(throws: DatabaseError.self) { try folder.reader() }
    }
}
