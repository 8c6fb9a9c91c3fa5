// SPDX-License-Identifier: Apache-2.0
import Glibc

// HotPathBenchmarks [FILE]
//
// Counts and times what each hot path does. With a file of thresholds (lines of a name and a number) it fails if a path
// allocates more than is allowed, or if the file and the paths do not name the same. Times are only shown.
// Exit status: 0 all are within; 1 not; 2 wrong usage.

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count <= 1 else {
    print("usage: HotPathBenchmarks [FILE of thresholds]")
    exit(2)
}
do {
    let thresholds = try arguments.first.map(Thresholds.init(path:))
    let benchmarks = try DecodeBenchmark.all() + RingBenchmark.all() + TableBenchmark.all() + ExpositionBenchmark.all()
    try AllocationCounter.expectItCounts()
    var isWithin = thresholds?.expectNames(benchmarks.map(\.name)) ?? true
    for benchmark in benchmarks {
        let measured = try benchmark.measure()
        print("\(benchmark.name): \(measured)")
        if let limit = thresholds?.limits[benchmark.name], measured.allocations > limit {
            print("\(benchmark.name): more than the \(limit) allocations that are allowed")
            isWithin = false
        }
    }
    exit(isWithin ? 0 : 1)
} catch {
    print("HotPathBenchmarks: \(error)")
    exit(2)
}
