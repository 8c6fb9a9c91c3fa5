// SPDX-License-Identifier: Apache-2.0
import Glibc
import Platform
import TestSupport
import Testing

@testable import Database

/// A folder that is removed with the object.
final class Folder {
    let path = temporaryFolder()
    var database: String { "\(path)/test.db" }

    deinit {
        for name in (try? FolderListing.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}

struct DatabaseTests {
    private static func open(_ folder: Folder) throws -> Database {
        let database = try Database(path: folder.database, access: .readWrite)
        try database.execute("CREATE TABLE IF NOT EXISTS things (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")
        return database
    }

    @Test func database_restoresEveryKindOfValue() throws {
        let folder = Folder()
        let database = try Self.open(folder)
        let bytes: [UInt8] = [0, 1, 255, 0]
        try database.run("INSERT INTO things VALUES (?, ?, ?)", .integer(.min), "Grüße, \u{0} und mehr", .bytes(bytes))
        try database.run("INSERT INTO things VALUES (?, ?, ?)", .integer(.max), .null, .bytes([]))
        #expect(database.lastInsertedKey == .max)
        var rows: [(Int64, String?, [UInt8])] = []
        try database.query("SELECT * FROM things ORDER BY id") { row in
            rows.append((row.integer(0), row.optionalText(1), row.bytes(2)))
            #expect(row.withBytes(2) { $0.byteCount } == row.bytes(2).count)
        }
        try #require(rows.count == 2)
        #expect(rows[0] == (.min, "Grüße, \u{0} und mehr", bytes))
        #expect(rows[1] == (.max, nil, []))
        #expect(try database.integer("SELECT id FROM things WHERE name IS NULL") == .max)
        #expect(try database.text("SELECT name FROM things WHERE id = ?", .integer(.max)) == nil)
        #expect(try database.run("UPDATE things SET name = 'x'") == 2)
    }

    @Test func database_allowsAQueryInsideAQuery() throws {
        let folder = Folder()
        let database = try Self.open(folder)
        for id in 1...3 { try database.run("INSERT INTO things (id) VALUES (?)", .integer(Int64(id))) }
        var pairs: [[Int64]] = []
        try database.query("SELECT id FROM things ORDER BY id") { outer throws(DatabaseError) in
            let first = outer.integer(0)
            try database.query("SELECT id FROM things ORDER BY id") { inner in pairs.append([first, inner.integer(0)]) }
        }
        #expect(pairs.count == 9)
        #expect(pairs.last == [3, 3])
    }

    @Test func database_rollsBackAFailedTransaction() throws {
        let folder = Folder()
        let database = try Self.open(folder)
        #expect(throws: DatabaseError.self) {
            try database.transaction { () throws(DatabaseError) in
                try database.run("INSERT INTO things (id) VALUES (1)")
                try database.run("INSERT INTO things (id) VALUES (1)")
            }
        }
        #expect(!database.isInTransaction)
        #expect(try database.integer("SELECT count(*) FROM things") == 0)
        try database.transaction { () throws(DatabaseError) in
            _ = try database.run("INSERT INTO things (id) VALUES (1)")
        }
        #expect(try database.integer("SELECT count(*) FROM things") == 1)
    }

    @Test func database_isReadWhileItIsWritten() throws {
        let folder = Folder()
        let writer = try Self.open(folder)
        let reader = try Database(path: folder.database, access: .readOnly)
        try writer.begin()
        try writer.run("INSERT INTO things (id) VALUES (1)")
        #expect(try reader.integer("SELECT count(*) FROM things") == 0)
        try writer.commit()
        #expect(try reader.integer("SELECT count(*) FROM things") == 1)
        let isSame = try reader.snapshot { () throws(DatabaseError) in
            let before = try reader.integer("SELECT count(*) FROM things")
            try writer.run("INSERT INTO things (id) VALUES (2)")
            return try reader.integer("SELECT count(*) FROM things") == before
        }
        #expect(isSame)
        #expect(try reader.integer("SELECT count(*) FROM things") == 2)
    }

    @Test func database_returnsFreePages() throws {
        let folder = Folder()
        let database = try Self.open(folder)
        try database.run("INSERT INTO things (id, data) VALUES (1, zeroblob(4000000))")
        let full = try database.usedBytes()
        #expect(full > 4_000_000)
        try database.run("DELETE FROM things")
        #expect(try database.usedBytes() < 100_000)
        try database.giveBackPages(atMost: 100_000)
        #expect(try database.integer("PRAGMA freelist_count") == 0)
    }
}

/// Every failure reports its cause.
struct DatabaseErrorTests {
    private static func cause(_ body: () throws(DatabaseError) -> Void) -> DatabaseError.Cause? {
        do throws(DatabaseError) {
            try body()
            return nil
        } catch {
            return error.cause
        }
    }

    @Test func database_reportsAMissingFile() {
        let folder = Folder()
        #expect(
            Self.cause { () throws(DatabaseError) in _ = try Database(path: folder.database, access: .readOnly) }
                == .cannotOpen)
        #expect(
            Self.cause { () throws(DatabaseError) in
                _ = try Database(path: "\(folder.path)/none/test.db", access: .readWrite)
            } == .cannotOpen)
    }

    @Test func database_reportsADamagedFile() throws {
        let folder = Folder()
        try SmallFile.replace(folder.database, with: [UInt8](repeating: 65, count: 8192), mode: 0o600)
        #expect(
            Self.cause { () throws(DatabaseError) in _ = try Database(path: folder.database, access: .readWrite) }
                == .corrupt)
    }

    @Test func database_reportsALockHeldByAnotherProcess() throws {
        let folder = Folder()
        let first = try Database(path: folder.database, access: .readWrite)
        let second = try Database(path: folder.database, access: .readWrite, lockTimeoutMilliseconds: 1)
        try first.execute("CREATE TABLE things (id INTEGER)")
        try first.begin()
        #expect(Self.cause { () throws(DatabaseError) in try second.begin() } == .locked)
        try first.commit()
        #expect(Self.cause { () throws(DatabaseError) in try second.begin() } == nil)
    }

    @Test func database_reportsAReadOnlyFile() throws {
        let folder = Folder()
        let writer = try Database(path: folder.database, access: .readWrite)
        try writer.execute("CREATE TABLE things (id INTEGER)")
        let reader = try Database(path: folder.database, access: .readOnly)
        #expect(
            Self.cause { () throws(DatabaseError) in _ = try reader.run("INSERT INTO things VALUES (1)") } == .readOnly)
    }

    @Test func database_reportsAFullDisk() throws {
        let folder = Folder()
        let database = try Database(path: folder.database, access: .readWrite)
        try database.execute("CREATE TABLE things (data BLOB); PRAGMA max_page_count = 10")
        #expect(
            Self.cause { () throws(DatabaseError) in
                _ = try database.run("INSERT INTO things VALUES (zeroblob(100000))")
            }
                == .full)
    }

    @Test func databaseError_namesTheOperation() throws {
        let folder = Folder()
        let database = try Database(path: folder.database, access: .readWrite)
        let error = #expect(throws: DatabaseError.self) { try database.execute("SELECT missing FROM sqlite_schema") }
        #expect(error?.cause == .other)
        #expect(error?.description == "SELECT missing FROM sqlite_schema: no such column: missing")
    }
}
