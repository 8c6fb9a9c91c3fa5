// SPDX-License-Identifier: Apache-2.0
import CAllocationCount
import Platform

/// One unit of work of a hot path, again and again.
struct Benchmark {
    let name: String
    /// The unit that a time is divided by: samples or records.
    let itemsPerUnit: Int
    let work: () throws -> Void

    /// The first units fill caches and grow buffers, which is not what a worker does all day.
    private static let warmingUnits = 20
    private static let units = 50

    struct Result: CustomStringConvertible {
        /// Of the unit that allocated most.
        let allocations: Int
        let nanosecondsPerItem: UInt64

        var description: String { "\(allocations) allocations a unit, \(nanosecondsPerItem) ns an item" }
    }

    func measure() throws -> Result {
        for _ in 0..<Self.warmingUnits { try work() }
        var most = 0
        let start = MonotonicClock.nowNanoseconds()
        for _ in 0..<Self.units {
            let before = AllocationCounter.count
            try work()
            most = max(most, AllocationCounter.count - before)
        }
        let time = MonotonicClock.nowNanoseconds() - start
        return Result(allocations: most, nanosecondsPerItem: time / UInt64(Self.units * itemsPerUnit))
    }
}

enum AllocationCounter {
    static var count: Int { Int(clamping: allocation_count()) }

    /// A counter that the linker left out would find every path free of allocations.
    static func expectItCounts() throws {
        let before = count
        for size in 1...100 { _ = [UInt8](unsafeUninitializedCapacity: size * 1000) { _, count in count = size } }
        guard count - before >= 100 else { throw BenchmarkFailure("allocations are not counted in this build") }
    }
}

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
