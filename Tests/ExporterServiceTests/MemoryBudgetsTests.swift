// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@testable import ExporterService

@Suite struct MemoryBudgetsTests {
    @Test func whoHasLittleGivesLittle() {
        #expect(MemoryBudgets(machine: MachineLimits(cpus: 1, memoryBytes: nil)) == MemoryBudgets())
        #expect(MemoryBudgets(machine: MachineLimits(cpus: 1, memoryBytes: 64 << 30)) == MemoryBudgets())
        let small = MemoryBudgets(machine: MachineLimits(cpus: 1, memoryBytes: 250 << 20))
        #expect(small.windowBytes == 50 << 20 && small.reportBytes == 50 << 20)
        #expect(small.unsentBytes == 50 << 20)
    }
}
