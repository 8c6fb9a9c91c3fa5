// SPDX-License-Identifier: Apache-2.0

/// The stack of a goroutine as Go prints it, with frames that look like a database's.
enum GoroutineStack {
    /// How long a stack is at least and at most, in bytes: as real ones are.
    static let lengthRange = (2 << 10)...(6 << 10)

    private static let packages = ["measure", "stream", "trace", "internal/storage", "queue/sub", "query/executor"]
    private static let receivers = [
        "(*tsTable)", "(*partMerger)", "(*blockReader)", "(*segmentController)", "(*shard)",
    ]
    private static let functions = [
        "mustFlush", "mergeLoop", "readBlock", "selectParts", "loadSnapshot", "run", "visit",
    ]
    private static let longestFrameBytes = 200

    /// Ends with a whole line.
    static func text(using generator: inout SimulationGenerator) -> String {
        let span = UInt64(lengthRange.upperBound - lengthRange.lowerBound - longestFrameBytes)
        let wanted = lengthRange.lowerBound + Int(generator.next() % span)
        var text = "goroutine \(1 + generator.next() % 5000) [running]:\n"
        while text.utf8.count < wanted { text += frame(using: &generator) }
        return text
    }

    private static func frame(using generator: inout SimulationGenerator) -> String {
        let package = packages.randomElement(using: &generator) ?? ""
        let receiver = receivers.randomElement(using: &generator) ?? ""
        let function = functions.randomElement(using: &generator) ?? ""
        let argument = String(0xC000_000000 + generator.next() % 0x1000_0000, radix: 16)
        let offset = String(16 + generator.next() % 2000, radix: 16)
        return "github.com/apache/skywalking-banyandb/banyand/\(package).\(receiver).\(function)(0x\(argument), 0x1)\n"
            + "\t/src/banyand/\(package)/\(function.lowercased()).go:\(20 + generator.next() % 800) +0x\(offset)\n"
    }
}
