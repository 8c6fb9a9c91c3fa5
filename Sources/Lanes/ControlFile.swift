// SPDX-License-Identifier: Apache-2.0
import Platform

/// The memory of `control`: the supervisor writes it, all others map it read-only.
public enum ControlFile {
    /// Makes it, sealed, its pages there. The caller closes the descriptor.
    public static func create() throws(SystemError) -> Int32 {
        precondition(ControlLayout.isConsistent, "the layout's constants fit together")
        let descriptor = try MemoryFile.create(name: "fodc-control", byteCount: ControlLayout.fileBytes)
        do {
            try MemoryFile.allocate(descriptor, offset: 0, byteCount: ControlLayout.fileBytes)
        } catch {
            MemoryFile.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Whether a descriptor is of such memory and not of a lane.
    public static func isControl(_ descriptor: Int32) -> Bool {
        (try? MemoryFile.byteCount(of: descriptor)) == ControlLayout.fileBytes && MemoryFile.hasSealedSize(descriptor)
    }

    /// The flaw by which it is not control memory of this version; `nil` when it is some, also when it has not been formatted yet.
    public static func flaw(of descriptor: Int32) -> String? {
        do {
            let mapping = try map(descriptor, access: .readOnly)
            let words = SharedWords(base: mapping.base)
            // The words are read while the mapping lives.
            return withExtendedLifetime(mapping) {
                words.loadAcquire(ControlLayout.magic) == 0 ? nil : flaw(of: words)
            }
        } catch .unusable(let reason) {
            return reason
        } catch {
            return error.description
        }
    }

    /// Maps it after checking that it can be.
    static func map(_ descriptor: Int32, access: MappingAccess) throws(LaneError) -> Mapping {
        do {
            let byteCount = try MemoryFile.byteCount(of: descriptor)
            guard byteCount == ControlLayout.fileBytes, MemoryFile.hasSealedSize(descriptor) else {
                throw LaneError.unusable("it is not a worker table: \(byteCount) bytes, or not sealed")
            }
            return try Mapping(descriptor: descriptor, offset: 0, byteCount: byteCount, access: access)
        } catch let error as LaneError {
            throw error
        } catch {
            throw .unusable("\(error)")
        }
    }

    /// The flaw by which it is not of this version; nil when it is.
    static func flaw(of words: SharedWords) -> String? {
        guard words.loadAcquire(ControlLayout.magic) == ControlLayout.magicValue else { return "its magic is wrong" }
        let version = words.loadAcquire(ControlLayout.version)
        guard version == ControlLayout.versionValue else { return "its version is \(version)" }
        guard words.loadAcquire(ControlLayout.fileBytesWord) == UInt64(ControlLayout.fileBytes) else {
            return "its size is wrong"
        }
        return nil
    }
}
