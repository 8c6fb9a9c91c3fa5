// SPDX-License-Identifier: Apache-2.0

import Platform

/// The part of the machine that this process may use: the base of the defaults.
public struct MachineLimits: Equatable, Sendable {
    /// CPUs' worth of time: the cgroup's quota, else the CPUs that the scheduler may put this process on.
    public let cpus: Double
    /// Memory limit of the cgroup in bytes, if there is one.
    public let memoryBytes: UInt64?

    public init(cpus: Double, memoryBytes: UInt64?) {
        self.cpus = cpus
        self.memoryBytes = memoryBytes
    }

    /// One worker a CPU, rounded up, at most four.
    public var defaultIngestWorkers: Int {
        let limit = ProxySettings.Limits.defaultIngestWorkersAtMost
        guard cpus < Double(limit) else { return limit }  // also for an absurd quota that no Int holds
        return max(1, Int(cpus.rounded(.up)))
    }

    /// A quarter of the memory limit over the workers, at most 2 GiB (address space only: rings are sparse), at least
    /// what one message of the default size needs.
    public func defaultRingBytes(workers: Int) -> Int {
        let limits = ProxySettings.Limits.self
        let share = memoryBytes.map { Int(clamping: $0 / 4 / UInt64(max(1, workers))) } ?? limits.defaultRingBytesAtMost
        return min(max(share, limits.ringBytes.lowerBound), limits.defaultRingBytesAtMost)
    }
}

extension MachineLimits {
    /// Those of this process, as they were when it asked for the first time: later its sandbox does not let it look.
    public static func current() -> MachineLimits { now }

    private static let now: MachineLimits = {
        let group = CgroupLimits()
        let cpus = Double(ProcessorAffinity.count())
        return MachineLimits(cpus: min(group.cpuQuota ?? cpus, cpus), memoryBytes: group.memoryBytes)
    }()
}
