// SPDX-License-Identifier: Apache-2.0
import Platform

/// The allocations that each path may make a unit.
struct Thresholds {
    private(set) var limits: [String: Int] = [:]

    /// A line is a name and a number; `#` begins a comment.
    init(path: String) throws {
        let text = String(decoding: try SmallFile.read(path, limitBytes: 1 << 16), as: UTF8.self)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count == 2, let limit = Int(words[1]), limit >= 0 else {
                throw BenchmarkFailure("\(path): \"\(line)\" must be a name and a number")
            }
            limits[String(words[0])] = limit
        }
    }

    /// Whether each path has a threshold and each threshold a path.
    func expectNames(_ names: [String]) -> Bool {
        let different = Set(names).symmetricDifference(limits.keys)
        for name in different.sorted() { print("\(name): in one of the thresholds and the benchmarks only") }
        return different.isEmpty
    }
}
