// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings

/// A ring's memory twice: to write, for its one writer, and to read, for everybody else.
struct Ring {
    let name: StoredDescriptorName
    let writable: Int32
    let readable: Int32

    /// Makes an empty one.
    init(_ name: StoredDescriptorName, kind: RingKind) throws(SystemError) {
        self.name = name
        writable = try RingFile.create(name: "fodc-\(name.description)", kind: kind)
        do throws(SystemError) {
            readable = try RingFile.reopenReadOnly(writable)
        } catch {
            MemoryFile.close(writable)
            throw error
        }
    }

    /// One that was there before, its content checked.
    init(_ name: StoredDescriptorName, writable: Int32) throws(SystemError) {
        self.name = name
        self.writable = writable
        readable = try RingFile.reopenReadOnly(writable)
    }

    func close() {
        MemoryFile.close(writable)
        MemoryFile.close(readable)
    }
}
