// SPDX-License-Identifier: Apache-2.0
import Platform

/// The memory of `control`: the supervisor writes it, all others map it read-only.
public enum WorkerTableFile {
    /// Makes it, sealed, its pages there. The caller closes the descriptor.
    public static func create() throws(SystemError) -> Int32 {
        precondition(WorkerTableLayout.isConsistent, "the layout's constants fit together")
        let descriptor = try MemoryFile.create(name: "fodc-control", byteCount: WorkerTableLayout.fileBytes)
        do {
            try MemoryFile.allocate(descriptor, offset: 0, byteCount: WorkerTableLayout.fileBytes)
        } catch {
            MemoryFile.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Whether a descriptor is of such memory and not of a ring.
    public static func isControl(_ descriptor: Int32) -> Bool {
        (try? MemoryFile.byteCount(of: descriptor)) == WorkerTableLayout.fileBytes
            && MemoryFile.hasSealedSize(descriptor)
    }

    /// The flaw by which it is not control memory of this version; `nil` when it is some, also when it has not been formatted yet.
    public static func flaw(of descriptor: Int32) -> String? {
        do {
            let mapping = try map(descriptor, access: .readOnly)
            let words = SharedWords(base: mapping.base)
            // The words are read while the mapping lives.
            return withExtendedLifetime(mapping) {
                words.loadAcquire(WorkerTableLayout.magic) == 0 ? nil : flaw(of: words)
            }
        } catch .unusable(let reason) {
            return reason
        } catch {
            return error.description
        }
    }

    /// Maps it after checking that it can be.
    static func map(_ descriptor: Int32, access: MappingAccess) throws(RingError) -> Mapping {
        do {
            let byteCount = try MemoryFile.byteCount(of: descriptor)
            guard byteCount == WorkerTableLayout.fileBytes, MemoryFile.hasSealedSize(descriptor) else {
                throw RingError.unusable("it is not a worker table: \(byteCount) bytes, or not sealed")
            }
            return try Mapping(descriptor: descriptor, offset: 0, byteCount: byteCount, access: access)
        } catch let error as RingError {
            throw error
        } catch {
            throw .unusable("\(error)")
        }
    }

    /// The flaw by which it is not of this version; nil when it is.
    static func flaw(of words: SharedWords) -> String? {
        guard words.loadAcquire(WorkerTableLayout.magic) == WorkerTableLayout.magicValue else {
            return "its magic is wrong"
        }
        let version = words.loadAcquire(WorkerTableLayout.version)
        guard version == WorkerTableLayout.versionValue else { return "its version is \(version)" }
        guard words.loadAcquire(WorkerTableLayout.fileBytesWord) == UInt64(WorkerTableLayout.fileBytes) else {
            return "its size is wrong"
        }
        return nil
    }
}
