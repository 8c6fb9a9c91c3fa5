// SPDX-License-Identifier: Apache-2.0
import Platform

/// The memory of a ring, before anybody writes into it.
public enum RingFile {
    /// Makes the memory of a ring: sparse, sealed at the one size that all rings have, its header's pages there.
    /// `name` is what `/proc/PID/fd` shows. The caller closes the descriptor.
    public static func create(name: String, kind: RingKind) throws(SystemError) -> Int32 {
        precondition(RingLayout.isConsistent, "the layout's constants fit together")
        let descriptor = try MemoryFile.create(name: name, byteCount: RingLayout.fileBytes)
        do {
            try MemoryFile.allocate(descriptor, offset: 0, byteCount: RingLayout.Header.end)
        } catch {
            MemoryFile.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A second descriptor of the same ring through which nothing can be written. The caller closes it.
    public static func reopenReadOnly(_ descriptor: Int32) throws(SystemError) -> Int32 {
        try MemoryFile.reopenReadOnly(descriptor)
    }

    /// Whether a descriptor is of memory for a ring of this version, formatted or not.
    public static func isRing(_ descriptor: Int32) -> Bool {
        (try? MemoryFile.byteCount(of: descriptor)) == RingLayout.fileBytes && MemoryFile.hasSealedSize(descriptor)
    }

    /// The purpose of a ring, by its header. Throws ``RingError/notYet`` when it has not been formatted,
    /// ``RingError/unusable(_:)`` when it is not a ring.
    public static func kind(of descriptor: Int32) throws(RingError) -> RingKind {
        let memory = try RingMemory(descriptor: descriptor, access: .readOnly)
        guard memory.isFormatted else { throw .notYet }
        let written = low(memory.words.loadRelaxed(RingLayout.Header.kindAndIndex))
        guard let kind = RingKind(rawValue: written) else { throw .unusable(memory.flaw(kind: .data) ?? "") }
        return kind
    }

    /// The flaw by which it is not a ring of this version, kind and worker that could be gone on with; `nil`: it is one. One that
    /// nobody has formatted yet is as good as new. Changes nothing, and believes nothing.
    public static func flaw(of descriptor: Int32, kind: RingKind, index: Int) -> String? {
        do {
            let memory = try RingMemory(descriptor: descriptor, access: .readOnly)
            guard memory.isFormatted else { return nil }
            if let flaw = memory.flaw(kind: kind) { return flaw }
            let written = high(memory.words.loadRelaxed(RingLayout.Header.kindAndIndex))
            guard written == UInt32(truncatingIfNeeded: index) else { return "it is of worker \(written)" }
            // While somebody writes, head and tail are not of one moment.
            if RingWriter.runningWriter(of: memory) == nil { _ = try RingRemains(memory: memory, kind: kind) }
            return nil
        } catch .unusable(let reason) {
            return reason
        } catch {
            return error.description
        }
    }

    /// The process that last signed as the ring's writer, if it is another one than this and still runs: until it is gone
    /// no other process may have the ring. `nil` also for a ring without a writer, and for other memory.
    public static func runningWriter(of descriptor: Int32) -> Int32? {
        guard let memory = try? RingMemory(descriptor: descriptor, access: .readOnly) else { return nil }
        return RingWriter.runningWriter(of: memory)
    }
}
