// SPDX-License-Identifier: Apache-2.0
import Platform

/// The memory of a lane, before anybody writes into it.
public enum LaneFile {
    /// Makes the memory of a lane: sparse, sealed at the one size that all lanes have, its header's pages there.
    /// `name` is what `/proc/PID/fd` shows. The caller closes the descriptor.
    public static func create(name: String, kind: LaneKind) throws(SystemError) -> Int32 {
        precondition(LaneLayout.isConsistent, "the layout's constants fit together")
        let descriptor = try MemoryFile.create(name: name, byteCount: LaneLayout.fileBytes)
        do {
            try MemoryFile.allocate(descriptor, offset: 0, byteCount: LaneLayout.Header.end)
        } catch {
            MemoryFile.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A second descriptor of the same lane through which nothing can be written. The caller closes it.
    public static func reopenReadOnly(_ descriptor: Int32) throws(SystemError) -> Int32 {
        try MemoryFile.reopenReadOnly(descriptor)
    }

    /// Whether a descriptor is of memory for a lane of this version, formatted or not.
    public static func isLane(_ descriptor: Int32) -> Bool {
        (try? MemoryFile.byteCount(of: descriptor)) == LaneLayout.fileBytes && MemoryFile.hasSealedSize(descriptor)
    }

    /// The purpose of a lane, by its header. Throws ``LaneError/notYet`` when it has not been formatted,
    /// ``LaneError/unusable(_:)`` when it is not a lane.
    public static func kind(of descriptor: Int32) throws(LaneError) -> LaneKind {
        let memory = try LaneMemory(descriptor: descriptor, access: .readOnly)
        guard memory.isFormatted else { throw .notYet }
        let written = low(memory.words.loadRelaxed(LaneLayout.Header.kindAndIndex))
        guard let kind = LaneKind(rawValue: written) else { throw .unusable(memory.flaw(kind: .up) ?? "") }
        return kind
    }

    /// The flaw by which it is not a lane of this version, kind and worker that could be gone on with; `nil`: it is one. One that
    /// nobody has formatted yet is as good as new. Changes nothing, and believes nothing.
    public static func flaw(of descriptor: Int32, kind: LaneKind, index: Int) -> String? {
        do {
            let memory = try LaneMemory(descriptor: descriptor, access: .readOnly)
            guard memory.isFormatted else { return nil }
            if let flaw = memory.flaw(kind: kind) { return flaw }
            let written = high(memory.words.loadRelaxed(LaneLayout.Header.kindAndIndex))
            guard written == UInt32(truncatingIfNeeded: index) else { return "it is of worker \(written)" }
            // While somebody writes, head and tail are not of one moment.
            if LaneWriter.runningWriter(of: memory) == nil { _ = try LaneRemains(memory: memory, kind: kind) }
            return nil
        } catch .unusable(let reason) {
            return reason
        } catch {
            return error.description
        }
    }

    /// The process that last signed as the lane's writer, if it is another one than this and still runs: until it is gone
    /// no other process may have the lane. `nil` also for a lane without a writer, and for other memory.
    public static func runningWriter(of descriptor: Int32) -> Int32? {
        guard let memory = try? LaneMemory(descriptor: descriptor, access: .readOnly) else { return nil }
        return LaneWriter.runningWriter(of: memory)
    }
}
