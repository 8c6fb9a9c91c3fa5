// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Logging
import Platform
import Testing

@testable import Logs

@Suite struct JournalEntryTests {
    private func line(_ message: String, _ metadata: Logger.Metadata = [:], label: String = "ingest-0") -> LogLine {
        LogLine(
            wallNanoseconds: 0, level: .warning, component: "ingest-0", label: label, message: message,
            metadata: metadata)
    }

    /// As journald reads it: `NAME=value`, or a name alone and then length and bytes. `nil` if it cannot be read.
    private func fields(_ line: LogLine) -> [String: [UInt8]]? {
        var rest = JournalEntry(line).bytes[...]
        var fields: [String: [UInt8]] = [:]
        while let end = rest.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "\n") }) {
            let name = String(decoding: rest[..<end], as: UTF8.self)
            let isPlain = rest[end] == UInt8(ascii: "=")
            rest = rest[(end + 1)...]
            let count: Int
            if isPlain {
                guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
                count = end - rest.startIndex
            } else {
                guard rest.count >= 8 else { return nil }
                count = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(8)
            }
            guard rest.count > count, rest.dropFirst(count).first == UInt8(ascii: "\n") else { return nil }
            // One that comes twice has both values.
            fields[name] = (fields[name].map { $0 + [UInt8(ascii: "|")] } ?? []) + Array(rest.prefix(count))
            rest = rest.dropFirst(count + 1)
        }
        return rest.isEmpty ? fields : nil
    }

    private func texts(_ line: LogLine) -> [String: String]? {
        fields(line)?.mapValues { String(decoding: $0, as: UTF8.self) }
    }

    @Test func journalEntry_writesPartsAsFields() {
        let entry = line("agent gone", ["pod": "data-0", "agent_id": "7-7", "worker": "ingest-1", "why": "no answer"])
        #expect(
            texts(entry) == [
                "MESSAGE": "ingest-0: agent gone agent_id=7-7 pod=data-0 why=\"no answer\" worker=ingest-1",
                "PRIORITY": "4", "SYSLOG_IDENTIFIER": "fodc-proxy", "FODC_WORKER": "ingest-0|ingest-1",
                "FODC_POD": "data-0",
                "FODC_AGENT": "7-7", "FODC_WHY": "no answer",
            ])
    }

    @Test func journalEntry_writesCountsAsFields() {
        var entry = line("x", label: "grpc")
        (entry.repeats, entry.lostLines, entry.plainLines, entry.error) = (7, 2, 3, "boom")
        let shown = texts(entry) ?? [:]
        #expect(
            shown["MESSAGE"] == "ingest-0/grpc: x (and 6 more like it) error=boom lost_log_lines=2 plain_log_lines=3")
        #expect([shown["FODC_REPEATS"], shown["FODC_PART"], shown["FODC_PLAIN_LOG_LINES"]] == ["7", "grpc", "3"])
    }

    @Test func journalEntry_keepsHostileValuesInTheirField() {
        let hostile = "a\nPRIORITY=0\nFODC_POD=evil"
        let shown = texts(
            line(hostile, ["pod": "\(hostile)", "é=\n": "v", "_b": "=", String(repeating: "k", count: 99): ""]))
        #expect(shown?["FODC_POD"] == hostile)
        #expect(shown?["PRIORITY"] == "4")
        #expect(shown?["MESSAGE"]?.contains("\n") == false)
        #expect(shown?["FODC_____"] == "v")
        #expect(shown?["FODC_" + String(repeating: "K", count: 59)] == "")
    }

    @Test(arguments: ["x", "é", "\n", "\u{1F600}"])
    func journalEntry_fitsADatagram(piece: String) throws {
        var metadata: Logger.Metadata = [:]
        for n in 0..<100 { metadata["key\(n)"] = "\(String(repeating: piece, count: 5000))" }
        let entry = line(String(repeating: piece, count: 9000), metadata)
        #expect(JournalEntry(entry).bytes.count <= JournalSocket.limitBytes)
        for value in try #require(fields(entry)).values {
            #expect(value.count <= JournalEntry.limitValueBytes)
            #expect(String(validating: value, as: UTF8.self) != nil)
        }
    }
}

@Suite struct JournalSocketTests {
    private func withReceiver(_ body: (String, Int32) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "fodc-journal-\(UUID().uuidString.prefix(8))"
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        defer {
            close(receiver)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(receiver, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        try body(path, receiver)
    }

    @Test func journalSocket_sendsAnEntryOfTheMaximumSize() throws {
        try withReceiver { path, receiver in
            let journal = try #require(JournalSocket(path: path))
            let entry = [UInt8](repeating: 7, count: JournalSocket.limitBytes)
            #expect(journal.send(entry))
            var buffer = [UInt8](repeating: 0, count: 2 * JournalSocket.limitBytes)
            #expect(recv(receiver, &buffer, buffer.count, 0) == entry.count)
            #expect(!journal.send(entry + [0]))
        }
    }

    /// A journald that has stopped reading holds up nobody.
    @Test func journalSocket_reportsAFullSocket() throws {
        try withReceiver { path, receiver in
            let journal = try #require(JournalSocket(path: path))
            var sent = 0
            while sent < 100_000, journal.send([1, 2, 3]) { sent += 1 }
            #expect((1..<100_000).contains(sent))
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(recv(receiver, &buffer, buffer.count, 0) == 3)
            #expect(journal.send([1, 2, 3]))
        }
    }

    @Test func journalSocket_failsWithoutAReceiver() throws {
        let journal = try #require(JournalSocket(path: "/nowhere/socket"))
        #expect(!journal.send([1]))
        #expect(JournalSocket(path: String(repeating: "x", count: 108)) == nil)
    }
}
