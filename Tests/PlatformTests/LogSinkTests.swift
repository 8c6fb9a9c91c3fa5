// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

@testable import Platform

@Suite struct LogSinkTests {
    private static let line = [UInt8](repeating: UInt8(ascii: "x"), count: 1000)

    private func sockets() throws -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    @Test(arguments: [false, true])
    func logSink_neverWaitsForAReader(isSocket: Bool) throws {
        let (reader, writer) = isSocket ? try sockets() : try closeOnExecPipe()
        defer { for end in [reader, writer] { close(end) } }
        let outlet = LogSink(writer)
        #expect(!outlet.mayWait)
        var written = 0
        while outlet.write(Self.line) { written += Self.line.count }
        #expect(written >= 60_000)
        var bytes = [UInt8](repeating: 0, count: written)
        #expect(read(reader, &bytes, written) == written)
        #expect(outlet.write(Self.line))
    }

    @Test func logSink_leavesTheFlagsOfASharedDescriptor() throws {
        let (reader, writer) = try closeOnExecPipe()
        #expect(LogSink(writer).write(Self.line))
        #expect(fcntl(writer, F_GETFL) & O_NONBLOCK == 0)
        for end in [reader, writer] { close(end) }
    }

    @Test func logSink_writesEverythingToAFile() throws {
        let stream = try #require(tmpfile())
        defer { fclose(stream) }
        #expect(LogSink(fileno(stream)).write(Self.line))
        #expect(lseek(fileno(stream), 0, SEEK_END) == Self.line.count)
    }

    @Test func logSink_writesNothingWithoutAReader() throws {
        signal(SIGPIPE, SIG_IGN)
        let (reader, writer) = try closeOnExecPipe()
        close(reader)
        defer { close(writer) }
        #expect(!LogSink(writer).write(Self.line))
    }
}
