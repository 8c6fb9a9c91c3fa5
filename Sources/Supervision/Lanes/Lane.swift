// SPDX-License-Identifier: Apache-2.0
import Lanes
import Platform

/// A lane's memory twice: to write, for its one writer, and to read, for everybody else.
struct Lane {
    let name: StoredName
    let writable: Int32
    let readable: Int32

    /// Makes an empty one.
    init(_ name: StoredName, kind: LaneKind) throws(SystemError) {
        self.name = name
        writable = try LaneFile.create(name: "fodc-\(name.description)", kind: kind)
        do throws(SystemError) {
            readable = try LaneFile.reopenReadOnly(writable)
        } catch {
            MemoryFile.close(writable)
            throw error
        }
    }

    /// One that was there before, its content checked.
    init(_ name: StoredName, writable: Int32) throws(SystemError) {
        self.name = name
        self.writable = writable
        readable = try LaneFile.reopenReadOnly(writable)
    }

    func close() {
        MemoryFile.close(writable)
        MemoryFile.close(readable)
    }
}
