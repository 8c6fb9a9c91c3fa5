// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// Two real processes, by `RingStress stress`: records of all sizes with pauses between, back-pressure, carrying forward.
@Suite struct StressTests {
    @Test(arguments: [UInt64(1), 2])
    func ring_losesNoRecordAndNoWakeBetweenTwoProcesses(seed: UInt64) throws {
        let program = try TestPrograms.folder() + "/RingStress"
        let (status, output) = try TestPrograms.run([program, "stress", "--seconds", "2", "--seed", "\(seed)"])
        #expect(status == 0, "\(output)")
        // A run in which nobody ever slept, or nothing was written, would show nothing.
        let counts = output.split(whereSeparator: { " ,\n".contains($0) })
        let slept = counts.indices.filter { counts[$0] == "slept" }.compactMap { UInt64(counts[$0 + 1]) }
        #expect(slept.count == 2 && slept.allSatisfy { $0 > 0 }, "\(output)")
    }
}
