// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@testable import ExporterCore

@Suite struct MemoryBudgetsTests {
    @Test func memoryBudgets_scaleWithTheMachinesMemory() {
        func bytes(_ memory: UInt64?) -> Int {
            MemoryBudgets(machine: MachineLimits(cpus: 1, memoryBytes: memory)).bytes(upTo: 192 << 20)
        }
        #expect(bytes(nil) == 192 << 20)
        #expect(bytes(64 << 30) == 192 << 20)
        #expect(bytes(250 << 20) == 50 << 20)
    }
}
