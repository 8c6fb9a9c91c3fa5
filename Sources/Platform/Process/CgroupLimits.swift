// SPDX-License-Identifier: Apache-2.0

/// The limits of the control groups that hold this process; the tightest on the way up counts. Knows cgroup v2 and v1
/// (Debian and Kubernetes still have both). A file that cannot be read sets no limit.
public struct CgroupLimits: Equatable, Sendable {
    /// CPUs' worth of time (quota over period).
    public let cpuQuota: Double?
    public let memoryBytes: UInt64?

    /// v1 writes "no limit" as the largest whole number of pages; nothing real is near it.
    private static let unlimitedBytes: UInt64 = 1 << 60

    /// - Parameter read: a file's text, `nil` if the file does not exist; handed in so that tests can make up a machine.
    public init(read: (String) -> String? = CgroupLimits.readFile) {
        let groups = Self.groups(read("/proc/self/cgroup") ?? "")
        var quotas: [Double] = []
        var limits: [UInt64] = []
        for mount in Self.mounts(read("/proc/self/mounts") ?? "") {
            if mount.isUnified {
                for folder in Self.folders(mount.path, groups[""] ?? "/") {
                    quotas += [read(folder + "/cpu.max").flatMap(Self.quotaV2)].compactMap { $0 }
                    limits += [read(folder + "/memory.max").flatMap(Self.number)].compactMap { $0 }
                }
            }
            if mount.controllers.contains("cpu") {
                for folder in Self.folders(mount.path, groups["cpu"] ?? "/") {
                    guard let quota = read(folder + "/cpu.cfs_quota_us").flatMap(Self.number),
                        let period = read(folder + "/cpu.cfs_period_us").flatMap(Self.number), period > 0
                    else { continue }  // a quota of -1 means no limit, and is not a number either
                    quotas.append(Double(quota) / Double(period))
                }
            }
            if mount.controllers.contains("memory") {
                for folder in Self.folders(mount.path, groups["memory"] ?? "/") {
                    limits += [read(folder + "/memory.limit_in_bytes").flatMap(Self.number)].compactMap { $0 }
                }
            }
        }
        cpuQuota = quotas.filter { $0 > 0 }.min()
        memoryBytes = limits.filter { $0 < Self.unlimitedBytes }.min()
    }

    public static func readFile(_ path: String) -> String? {
        (try? SmallFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    private struct Mount {
        let path: String
        let isUnified: Bool
        let controllers: [String]
    }

    /// Lines of `/proc/self/mounts`: device, folder, type, options.
    private static func mounts(_ table: String) -> [Mount] {
        table.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count >= 4, fields[2] == "cgroup" || fields[2] == "cgroup2" else { return nil }
            let isUnified = fields[2] == "cgroup2"
            return Mount(
                path: String(fields[1]), isUnified: isUnified,
                controllers: isUnified ? [] : fields[3].split(separator: ",").map(String.init))
        }
    }

    /// Lines of `/proc/self/cgroup`: number, controllers, path. The key is a controller; "" is the unified hierarchy.
    private static func groups(_ table: String) -> [String: String] {
        var groups: [String: String] = [:]
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                groups[String(controller)] = String(fields[2])
            }
        }
        return groups
    }

    /// The group's folder and all above it up to the mount. In a container the path may be the host's and not be there;
    /// the mount itself is then the group.
    private static func folders(_ mount: String, _ group: String) -> [String] {
        var folders = [mount]
        for part in group.split(separator: "/") where part != ".." {
            folders.append("\(folders[folders.count - 1])/\(part)")
        }
        return folders
    }

    /// `50000 100000` or `max 100000`.
    private static func quotaV2(_ text: String) -> Double? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let quota = UInt64(fields[0]), let period = UInt64(fields[1]), period > 0 else {
            return nil
        }
        return Double(quota) / Double(period)
    }

    private static func number(_ text: String) -> UInt64? {
        text.split(whereSeparator: \.isWhitespace).first.flatMap { UInt64($0) }
    }
}
