// SPDX-License-Identifier: Apache-2.0
import CPlatform
import Glibc

/// The usage of a process so far, out of `/proc/PID` (proc(5)).
public struct ProcessUsage: Sendable {
    public var userSeconds: Double
    public var systemSeconds: Double
    public var residentBytes: Int
    public var virtualBytes: Int
    public var threads: Int
    /// Since the epoch. The kernel tells it in ticks of a hundredth of a second.
    public var startedAtSeconds: Double
    /// `nil` when they may not be looked at.
    public var openDescriptors: Int?
    /// The soft `RLIMIT_NOFILE`; `nil` when there is no limit, or it may not be looked at.
    public var maximumDescriptors: Int?

    /// `nil` when there is no such process, or it may not be looked at.
    public init?(pid: Int32) {
        guard pid > 0, let stat = Self.read("/proc/\(pid)/stat"), let end = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // The name in parentheses may hold anything; after it come the fields from the third on.
        let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 21, let user = Self.number(fields[11]), let system = Self.number(fields[12]),
            let threads = Self.number(fields[17]), let start = Self.number(fields[19]),
            let addressSpace = Self.number(fields[20]), let pages = Self.number(fields[21])
        else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        userSeconds = Double(user) / ticks
        systemSeconds = Double(system) / ticks
        residentBytes = pages * Int(getpagesize())
        virtualBytes = addressSpace
        self.threads = threads
        startedAtSeconds = Self.bootSeconds + Double(start) / ticks
        openDescriptors = Self.entryCount("/proc/\(pid)/fd")
        maximumDescriptors = Self.descriptorLimit(of: pid)
    }

    /// The process that started this one, and would be told of its end.
    public static var parentProcessID: Int32 { getppid() }

    /// When the machine was started, since the epoch; once and for all, so that a process does not seem to have been started anew
    /// when the clock is set.
    private static let bootSeconds: Double = {
        var (wall, boot) = (timespec(), timespec())
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &boot)
        let seconds = Double(wall.tv_sec - boot.tv_sec) + Double(wall.tv_nsec - boot.tv_nsec) / 1e9
        return (seconds * 100).rounded() / 100
    }()

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        Int(String(decoding: digits, as: UTF8.self))
    }

    /// How many entries the folder has; `nil` when it may not be looked at.
    private static func entryCount(_ path: String) -> Int? {
        // Linux 6.2 and later say it of /proc/PID/fd at once.
        var status = stat()
        if stat(path, &status) == 0, status.st_size > 0 { return Int(status.st_size) }
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var count = -2  // "." and ".."
        while readdir(folder) != nil { count += 1 }
        return max(0, count)
    }

    private static func descriptorLimit(of pid: Int32) -> Int? {
        var limit: UInt64 = 0
        return fodc_process_descriptor_limit(pid, &limit) == 0 ? Int(exactly: limit) : nil
    }

    /// The first 4 KiB, which is more than what is read here has.
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
