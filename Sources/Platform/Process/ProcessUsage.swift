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

    /// Out of the line of `/proc/PID/stat`, without what that does not say.
    init?(stat: [UInt8]) {
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
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
    }

    /// How many words ``words`` has.
    public static let wordCount = 8

    /// As numbers, for others to read in shared memory: times in microseconds. Unknown is 0.
    public var words: [UInt64] {
        func microseconds(_ seconds: Double) -> UInt64 { UInt64(max(0, seconds) * 1e6) }
        return [
            microseconds(userSeconds), microseconds(systemSeconds), UInt64(residentBytes), UInt64(virtualBytes),
            UInt64(threads), microseconds(startedAtSeconds), UInt64(openDescriptors ?? 0),
            UInt64(maximumDescriptors ?? 0),
        ]
    }

    /// Times that another process tells: 142 years, so that nanoseconds of two of them are inside of 64 bits.
    private static let mostMicroseconds: UInt64 = 1 << 52

    /// Out of such numbers; `nil` when there are not as many, or the process has not told any.
    public init?(words: [UInt64]) {
        guard words.count == Self.wordCount, words[5] > 0 else { return nil }
        func seconds(_ microseconds: UInt64) -> Double { Double(min(microseconds, Self.mostMicroseconds)) / 1e6 }
        (userSeconds, systemSeconds) = (seconds(words[0]), seconds(words[1]))
        (residentBytes, virtualBytes) = (Int(clamping: words[2]), Int(clamping: words[3]))
        (threads, startedAtSeconds) = (Int(clamping: words[4]), seconds(words[5]))
        openDescriptors = words[6] > 0 ? Int(clamping: words[6]) : nil
        maximumDescriptors = words[7] > 0 ? Int(clamping: words[7]) : nil
    }

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

    /// That of this process.
    static var descriptorLimit: Int? {
        var limit: UInt64 = 0
        return fodc_process_descriptor_limit(&limit) == 0 ? Int(exactly: limit) : nil
    }
}
