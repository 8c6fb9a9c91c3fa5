// SPDX-License-Identifier: Apache-2.0
import Platform
import Testing

@Suite struct CgroupLimitsTests {
    private func limits(_ files: [String: String]) -> CgroupLimits {
        CgroupLimits { files[$0] }
    }

    @Test func cgroupLimits_takeTheLowestLimitOfTheHierarchyInVersion2() {
        let found = limits([
            "/proc/self/cgroup": "0::/system.slice/fodc.service\n",
            "/proc/self/mounts": "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n",
            "/sys/fs/cgroup/system.slice/cpu.max": "150000 100000\n",
            "/sys/fs/cgroup/system.slice/memory.max": "max\n",
            "/sys/fs/cgroup/system.slice/fodc.service/cpu.max": "max 100000\n",
            "/sys/fs/cgroup/system.slice/fodc.service/memory.max": "268435456\n",
        ])
        #expect(found.cpuQuota == 1.5)
        #expect(found.memoryBytes == 268_435_456)
    }

    @Test func cgroupLimits_readOneHierarchyPerControllerInVersion1() {
        let found = limits([
            "/proc/self/cgroup": "4:memory:/a\n3:cpu,cpuacct:/b:c\n0::/\n",
            "/proc/self/mounts":
                "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n",
            "/sys/fs/cgroup/cpu/b:c/cpu.cfs_quota_us": "50000\n",
            "/sys/fs/cgroup/cpu/b:c/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1048576\n",
        ])
        #expect(found.cpuQuota == 0.5)
        #expect(found.memoryBytes == 1_048_576)
    }

    @Test func cgroupLimits_readTheRootWhereAContainersPathIsMissing() {
        let found = limits([
            "/proc/self/cgroup": "0::/kubepods/pod1/../x\n",
            "/proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 ro 0 0\n",
            "/sys/fs/cgroup/cpu.max": "50000 100000", "/sys/fs/cgroup/memory.max": "1000",
        ])
        #expect(found.cpuQuota == 0.5)
        #expect(found.memoryBytes == 1000)
    }

    @Test(arguments: ["", "max", "x y", "1 0", "-5 100", "100000"]) func cgroupLimits_ignoreMalformedFiles(text: String)
    {
        let found = limits([
            "/proc/self/cgroup": "nonsense\n0::/\n", "/proc/self/mounts": "x\ncgroup2 /c cgroup2 ro 0 0\n",
            "/c/cpu.max": text,
            "/c/memory.max": "max",
        ])
        #expect(found == limits([:]))
        #expect(found.cpuQuota == nil && found.memoryBytes == nil)
    }
}
