// SPDX-License-Identifier: Apache-2.0

/// The series of one metric name in an agent's table: neighbours in the column, sorted by text.
struct SeriesBlock {
    var name: [UInt8]
    var description: [UInt8] = []
    var type = MetricType.unspecified
    /// Place of the first in the column.
    var first = 0
    var count = 0
    var longestTextBytes = 0
    var coded: [UInt8] = []
}
