// SPDX-License-Identifier: Apache-2.0
import Glibc

/// When a process started. With its number it names a process for good: numbers are used again, the pair is not.
public enum ProcessStartTime {
    /// Clock ticks since boot (proc(5), /proc/PID/stat field 22), or nil when no such process runs: none, or only a
    /// zombie, which executes and writes nothing any more.
    public static func ticks(of process: Int32) -> UInt64? {
        let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // The line has 52 numbers and a name of at most 64 bytes.
        return withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { return nil }
            return ticks(inStat: buffer[..<count])
        }
    }

    /// The calling process's own. Read once: a process that has entered its sandbox cannot look any more.
    public static func ownTicks() -> UInt64 { own }

    private static let own = ticks(of: getpid()) ?? 0

    /// The name, field 2, stands in parentheses and may hold any byte; what follows its last `)` are fields 3 and on.
    static func ticks(inStat line: some BidirectionalCollection<UInt8>) -> UInt64? {
        guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[line.index(after: end)...].split(separator: UInt8(ascii: " "))
        let stateField = 0
        let startField = 19
        guard fields.count > startField, let state = fields[stateField].first else { return nil }
        guard state != UInt8(ascii: "Z"), state != UInt8(ascii: "X") else { return nil }
        return UInt64(String(decoding: fields[startField], as: UTF8.self))
    }
}
