// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Platform

@Suite struct ProgramOutputTests {
    /// Far more than a shell takes on a busy machine.
    private static let timeoutMilliseconds: Int32 = 60_000

    private func shell(_ script: String, within milliseconds: Int32 = timeoutMilliseconds) throws
        -> ProgramOutput.Result
    {
        try ProgramOutput.run("/bin/sh", arguments: ["sh", "-c", script], limitMilliseconds: milliseconds)
    }

    @Test func programOutput_hasBothStreamsAndTheExitCode() throws {
        #expect(try shell("echo one; echo two >&2; exit 7") == .init(text: "one\ntwo\n", exitCode: 7))
        #expect(try shell("read line || echo none") == .init(text: "none\n", exitCode: 0))
    }

    @Test func programOutput_distinguishesASignalFromAnExitCode() throws {
        #expect(try shell("echo last words; kill -KILL $$") == .init(text: "last words\n", exitCode: nil))
    }

    @Test func programOutput_truncatesLongOutputAndReadsToItsEnd() throws {
        let result = try shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 3")
        #expect(result.text.utf8.count == ProgramOutput.limitBytes && result.exitCode == 3)
    }

    @Test func programOutput_killsAProgramThatDoesNotEnd() throws {
        #expect(try shell("echo begun; exec sleep 1000", within: 50) == .init(text: "", exitCode: nil))
    }

    /// It has nothing more to say, and stays.
    @Test func programOutput_killsAProgramThatOnlyClosesItsOutput() throws {
        #expect(
            try shell("echo begun; exec >&- 2>&-; exec sleep 30", within: 2000)
                == .init(text: "begun\n", exitCode: nil))
    }

    @Test func programOutput_reportsAMissingProgram() {
        #expect(throws: SystemError.self) {
            try ProgramOutput.run("/nowhere/at-all", arguments: ["x"], limitMilliseconds: 1000)
        }
    }
}
