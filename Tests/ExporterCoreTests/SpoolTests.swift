// SPDX-License-Identifier: Apache-2.0
import Glibc
import RingMessages
import TestSupport
import Testing

@testable import ExporterCore
@testable import Platform

/// Downloads when the spool is full, broken or slow.
@Suite struct SpoolLimitTests {
    @Test func spoolLimit_refusesAProfileThatDoesNotFitAndNamesTheFlag() throws {
        let harness = try DownloadHarness(sizeBytes: 2 << 20, spoolMaxBytes: 1 << 20)
        let answer = try harness.refusal()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("--spool-max-size") && answer.contains("2097152") && answer.contains("1048576"))
        // It will never fit.
        #expect(!answer.contains("Retry-After"))
        #expect(try harness.run { $0.line.started.count } == 0)
        #expect(try harness.statistics.failures == [.spoolUsedUp: 1])
    }

    @Test func spoolLimit_reservesTheSpaceOfRunningDownloads() throws {
        let harness = try DownloadHarness(sizeBytes: 700_000, spoolMaxBytes: 1 << 20)
        let first = try harness.asked()
        let refused = try harness.refusal()
        #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("Retry-After"))
        try harness.feed(1000)
        try harness.end()
        #expect(first.receiveAll().end == .complete)
        try harness.eventually("room") { $0.downloads.statistics.reservedBytes == 0 }
        _ = try harness.asked(2)
    }

    /// The agent had said nothing of such a size.
    @Test func spoolLimit_cutsAProfileThatGrowsOverTheMaximum() throws {
        let harness = try DownloadHarness(sizeBytes: 0, spoolMaxBytes: 1 << 20)
        let client = try harness.asked(receiveBufferBytes: 16 * 1024)
        for index in 0..<6 { try harness.chunk(index << 20..<(index + 1) << 20) }
        try harness.eventually("the cut") { $0.downloads.statistics.failures == [.spoolUsedUp: 1] }
        #expect(client.receiveAll().end == .failed(ECONNRESET))
        #expect(try harness.dropped == [1])
        #expect(try harness.statistics.reservedBytes == 0)
        try harness.eventually("the disk is done") { $0.downloads.thread.waitingBytes == 0 }
    }

    @Test func spoolLimit_detectsAFullDiskBeforeTheFirstByte() throws {
        let harness = try DownloadHarness(sizeBytes: 1 << 60, spoolMaxBytes: .max)
        let answer = try harness.refusal()
        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains(harness.folder) && answer.contains("free"))
        #expect(try harness.statistics.failures == [.spoolFailed: 1])
        #expect(try harness.statistics.reservedBytes == 0)
    }

    @Test func spoolLimit_namesAMissingFolder() throws {
        let harness = try DownloadHarness(folder: "/missing")
        let answer = try harness.refusal()
        #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("/missing"))
        #expect(answer.contains("No such file or directory"))
        #expect(try harness.run { $0.line.started.count } == 0)
    }

    @Test func spoolLimit_cutsTheAnswerWhenAWriteFails() throws {
        // Every write to it fails with ENOSPC.
        let harness = try DownloadHarness(open: { _ throws(SystemError) in
            UnlinkedFile(descriptor: Glibc.open("/dev/full", O_RDWR | O_CLOEXEC))
        })
        let client = try harness.asked(receiveBufferBytes: 16 * 1024)
        for index in 0..<3 { try harness.chunk(index << 20..<(index + 1) << 20) }
        try harness.eventually("the cut") { $0.downloads.statistics.failures == [.spoolFailed: 1] }
        #expect(client.receiveAll().end == .failed(ECONNRESET))
        #expect(try harness.dropped == [1])
        #expect(try harness.statistics.reservedBytes == 0)
        try harness.eventually("the disk is done") { $0.downloads.thread.waitingBytes == 0 }
    }

    @Test func spoolLimit_boundsPendingWritesOfManyDownloads() throws {
        let harness = try DownloadHarness(maximumWaitingBytes: 500_000)
        let client = try harness.asked(receiveBufferBytes: 16 * 1024)
        let gate = try Gate()
        try harness.run { $0.downloads.thread.run({ gate.wait() }, {}) }
        for index in 0..<5 { try harness.chunk(index << 20..<(index + 1) << 20) }
        try harness.eventually("the cut") { $0.downloads.statistics.failures == [.spoolTooSlow: 1] }
        gate.open()
        #expect(client.receiveAll().end == .failed(ECONNRESET))
        try harness.eventually("the disk is done") { $0.downloads.thread.waitingBytes == 0 }
    }

    /// The client leaves while its file is being made.
    @Test func spoolLimit_takesNothingForAClientThatLeftEarly() throws {
        let harness = try DownloadHarness(sizeBytes: 1000)
        let gate = try Gate()
        try harness.run { $0.downloads.thread.run({ gate.wait() }, {}) }
        let client = DownloadClient(port: harness.port)
        client.send("GET /p HTTP/1.1\r\nHost: t\r\n\r\n")
        try harness.eventually("begun") { $0.downloads.statistics.underWay == 1 }
        client.leave()
        try harness.eventually("gone") { $0.downloads.statistics.clientsGone == 1 }
        gate.open()
        #expect(try harness.run { $0.line.started.count } == 0)
        #expect(try harness.dropped == [])
        #expect(try harness.statistics.reservedBytes == 0)
    }
}

/// Keeps a thread waiting.
private final class Gate: Sendable {
    private let descriptors: (reader: Int32, writer: Int32)

    init() throws {
        descriptors = try closeOnExecPipe()
    }

    deinit {
        close(descriptors.reader)
        close(descriptors.writer)
    }

    func wait() {
        var byte: UInt8 = 0
        _ = read(descriptors.reader, &byte, 1)
    }

    func open() {
        var byte: UInt8 = 0
        _ = write(descriptors.writer, &byte, 1)
    }
}

@Suite struct UnlinkedFileTests {
    @Test(arguments: [true, false]) func unlinkedFile_readsBackAndLeavesTheFolderEmpty(byName: Bool) throws {
        let folder = temporaryFolder()
        defer { rmdir(folder) }
        let file = byName ? try UnlinkedFile.namedForAMoment(folder: folder) : try UnlinkedFile(folder: folder)
        defer { file.close() }
        #expect(entries(of: folder).isEmpty)
        #expect(fcntl(file.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        var status = stat()
        #expect(fstat(file.descriptor, &status) == 0 && status.st_mode & 0o777 == 0o600 && status.st_nlink == 0)
        let piece = SpoolPiece()
        piece.bytes.writeBytes(patternBytes(0..<200_000))
        #expect(piece.write(to: file, at: 1000) == nil)
        let back = SpoolPiece()
        #expect(back.read(150_000, from: file, at: 51_000) == nil)
        #expect(Array(back.bytes.readableBytesView) == patternBytes(50_000..<200_000))
        // Beyond its end is an error, never zeros.
        #expect(back.read(2, from: file, at: 200_999) == SystemError(call: "read", code: ENODATA))
        #expect(try file.freeBytes() > 0)
    }

    @Test func unlinkedFile_reportsFailures() throws {
        #expect(throws: SystemError.self) { try UnlinkedFile(folder: "/nowhere/at/all") }
        #expect(throws: SystemError.self) { try UnlinkedFile.namedForAMoment(folder: "/nowhere/at/all") }
        #expect(throws: SystemError(call: "mkostemp in " + String(repeating: "x", count: 5000), code: ENAMETOOLONG)) {
            try UnlinkedFile.namedForAMoment(folder: String(repeating: "x", count: 5000))
        }
        let full = UnlinkedFile(descriptor: open("/dev/full", O_RDWR | O_CLOEXEC))
        defer { full.close() }
        #expect(throws: SystemError(call: "write", code: ENOSPC)) { try full.write([1, 2, 3].span.bytes, at: 0) }
    }
}

@Suite struct ProfileFilenameTests {
    @Test(arguments: [
        (["data-0", "ROLE_DATA", "20260821T101112.000Z", "heap"], "data-0-ROLE_DATA-20260821T101112.000Z-heap"),
        (["a/b", "", "x\"; y", "heap"], "a_b--x___y-heap"),
        (["../..", "ä€", "\r\nX-Evil: 1", "he ap"], ".._..-__-__X-Evil__1-he_ap"),
    ])
    func profileFilename_replacesUnusualCharacters(parts: [String], name: String) {
        #expect(
            ProfileFilename.stem(podName: parts[0], role: parts[1], profileID: parts[2], type: parts[3]) == name)
    }

    @Test func profileFilename_limitsEachPart() {
        let long = String(repeating: "x", count: 100_000)
        let name = ProfileFilename.stem(podName: long, role: long, profileID: long, type: long)
        #expect(name.utf8.count < 1100)
    }
}
