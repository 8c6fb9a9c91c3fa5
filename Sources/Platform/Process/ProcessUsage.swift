// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What a process has used so far, out of `/proc/PID` (proc(5)).
public struct ProcessUsage: Sendable {
    public var userSeconds: Double
    public var systemSeconds: Double
    public var residentBytes: Int

    /// `nil` when there is no such process, or it may not be looked at.
    public init?(pid: Int32) {
        guard pid > 0, let stat = Self.read("/proc/\(pid)/stat"), let end = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // The name in parentheses may hold anything; after it come the fields from the third on.
        let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 21, let user = Self.number(fields[11]), let system = Self.number(fields[12]),
            let pages = Self.number(fields[21])
        else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        userSeconds = Double(user) / ticks
        systemSeconds = Double(system) / ticks
        residentBytes = pages * Int(getpagesize())
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        Int(String(decoding: digits, as: UTF8.self))
    }

    /// The first 4 KiB, which is more than a `stat` line has.
    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
        return bytes.isEmpty ? nil : bytes
    }
}
