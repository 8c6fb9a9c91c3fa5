// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Platform
import Rings

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Times what rings cost on this machine: CPU time, medians.")

    @Option(help: "How often each is timed.")
    var rounds = 15

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("--rounds \(rounds): at least 1 is needed") }
    }

    func run() throws {
        try timeSamples()
        try timeSlots()
        try timeGrowing()
    }

    private static let samplesPerRecord = 2000

    private func timeSamples() throws {
        let (writer, reader) = try ring(maximumBytes: 16 << 20)
        let values = (0..<Self.samplesPerRecord).map(Double.init)
        let slots = (0..<100).compactMap { _ in writer.claimSlot() }
        // As many as fit between tail and head, so that each is read once; the slots' newest are compacted.
        let count = 400
        var (appending, reading, compacted) = ([Double](), [Double](), 0)
        for _ in 0..<rounds {
            appending.append(
                try cpuNanoseconds {
                    for index in 0..<count {
                        try writer.append(
                            .sample, agent: slots[index % slots.count], isCurrent: true, values.span.bytes)
                    }
                })
            var sum = 0.0
            reading.append(
                try cpuNanoseconds {
                    while case .record = reader.next({ header, payload in
                        compacted += header.isCompacted ? 1 : 0
                        sum += payload.unsafeLoadUnaligned(fromByteOffset: 8, as: Double.self)
                    }) {}
                })
            guard sum >= Double(count) else { throw RingStressFailure("not all records were read") }
        }
        let samples = Double(count * Self.samplesPerRecord)
        show("append of a sample", median(appending) / samples, "ns a sample")
        show("read of a sample", median(reading) / samples, "ns a sample")
        show("compacted", Double(compacted) / Double(count * rounds) * 100, "% of the records")
        try timeSmallRecords(writer, reader)
    }

    private func timeSmallRecords(_ writer: RingWriter, _ reader: RingReader) throws {
        let payload = [UInt8](repeating: 1, count: 64)
        let count = 50_000
        var (appending, reading) = ([Double](), [Double]())
        for _ in 0..<rounds {
            appending.append(
                try cpuNanoseconds {
                    for _ in 0..<count { try writer.append(RecordType(rawValue: 32), payload.span.bytes) }
                })
            reading.append(try cpuNanoseconds { while case .record = reader.next({ _, _ in }) {} })
        }
        show("append of 64 bytes", median(appending) / Double(count), "ns")
        show("read of 64 bytes", median(reading) / Double(count), "ns")
    }

    private func timeSlots() throws {
        let (writer, reader) = try ring(maximumBytes: 16 << 20)
        guard let slot = writer.claimSlot() else { throw RingStressFailure("no slot") }
        let entry = AgentEntry(id: AgentID(high: 1, low: 2), status: .online)
        let count = 100_000
        func time(_ what: String, _ body: () -> Void) throws {
            let times = try (0..<rounds).map { _ in try cpuNanoseconds { for _ in 0..<count { body() } } }
            show(what, median(times) / Double(count), "ns")
        }
        try time("setEntry") { writer.setEntry(entry, at: slot) }
        try time("setHeartbeat") { writer.setHeartbeat(1, at: slot) }
        try time("entry read") { _ = reader.entry(at: 0) }
        try time("isWriterSleeping") { _ = reader.isWriterSleeping }
        try time("setReadPosition") { writer.setReadPosition(0, generation: 1, position: 1) }
    }

    /// Once: what a worker's loop stands still for.
    private func timeGrowing() throws {
        let (writer, _) = try ring(maximumBytes: 512 << 20)
        let descriptor = try RingFile.create(name: "bench", kind: .data)
        let large = [UInt8](repeating: 1, count: 1 << 20)
        var before = writer.ringBytes
        for subject in UInt64(0)... {
            let time = try cpuNanoseconds {
                try writer.append(RecordType(rawValue: 7), subject: subject, isCurrent: true, large.span.bytes)
            }
            guard writer.ringBytes != before else { continue }
            show("growing to \(writer.ringBytes >> 20) MiB", time / 1e6, "ms")
            before = writer.ringBytes
            if before == 512 << 20 { break }
        }
        close(descriptor)
    }

    private func ring(maximumBytes: Int) throws -> (RingWriter, RingReader) {
        let descriptor = try RingFile.create(name: "bench", kind: .data)
        defer { close(descriptor) }
        let writer = try RingWriter.format(
            descriptor: descriptor, kind: .data, index: 0, generation: 1, maximumRingBytes: maximumBytes)
        let readable = try RingFile.reopenReadOnly(descriptor)
        defer { close(readable) }
        return (writer, try RingReader(descriptor: readable, kind: .data))
    }

    private func cpuNanoseconds(_ body: () throws -> Void) throws -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
        }
        let start = now()
        try body()
        return now() - start
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func show(_ what: String, _ value: Double, _ unit: String) {
        let hundredths = Int((value * 100).rounded())
        let digits = "\(hundredths % 100)"
        print("\(what): \(hundredths / 100).\(digits.count == 1 ? "0" : "")\(digits) \(unit)")
    }
}
