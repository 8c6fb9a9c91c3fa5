// SPDX-License-Identifier: Apache-2.0

extension AgentSeries {
    /// Bytes that `writeTable` appends.
    public var tableByteCount: Int {
        MetricsRecordLayout.seriesHeaderBytes + podNames.recordBytes + nodeRoles.recordBytes
            + blocks.reduce(0) {
                $0 + MetricsRecordLayout.blockHeaderBytes + $1.name.count + $1.description.count + $1.coded.count
            }
    }

    /// Appends the payload of a `series` record: the whole table. Needs room for `tableByteCount` bytes.
    public func writeTable(into output: inout OutputRawSpan) {
        output.append(MetricsRecordLayout.seriesMagic, as: UInt32.self)
        output.append(tableNumber, as: UInt32.self)
        output.append(UInt32(seriesCount), as: UInt32.self)
        output.append(UInt32(blocks.count), as: UInt32.self)
        output.appendValues(podNames)
        output.appendValues(nodeRoles)
        for block in blocks {
            // Names and descriptions are at most some KiB long by their limits.
            output.append(UInt16(block.name.count), as: UInt16.self)
            output.append(UInt16(block.description.count), as: UInt16.self)
            output.append(UInt32(block.type.rawValue), as: UInt32.self)
            output.append(UInt32(block.count), as: UInt32.self)
            output.append(UInt32(block.coded.count), as: UInt32.self)
            output.append(UInt32(block.longestTextBytes), as: UInt32.self)
            output.appendBytes(block.name)
            output.appendBytes(block.description)
            output.appendBytes(block.coded)
        }
    }

    /// Bytes that `writeSample` appends.
    public var sampleByteCount: Int { MetricsRecordLayout.sampleHeaderBytes + 8 * (column.count + times.count) }

    /// Appends the payload of a `sample` record: the values of the newest answer, in the order of the table. Needs room
    /// for `sampleByteCount` bytes.
    public func writeSample(into output: inout OutputRawSpan) {
        output.append(MetricsRecordLayout.sampleMagic, as: UInt32.self)
        output.append(tableNumber, as: UInt32.self)
        output.append(UInt32(column.count), as: UInt32.self)
        output.append(times.isEmpty ? 0 as UInt32 : 1, as: UInt32.self)
        output.append(receivedAtNanoseconds, as: Int64.self)
        output.append(commonTime, as: Int64.self)
        output.appendElements(column)
        output.appendElements(times)
    }
}
