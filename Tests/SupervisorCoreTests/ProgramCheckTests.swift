// SPDX-License-Identifier: Apache-2.0
import Rings
import Testing

@testable import SupervisorCore

@Suite struct ProgramCheckTests {
    @Test func programCheck_acceptsItsOwnLine() {
        #expect(ProgramCheck.flaw(of: ProgramCheck.line) == nil)
    }

    @Test(arguments: ["layout", "handover", "control", "worker-protocol"])
    func programCheck_rejectsAnotherLayoutVersion(_ kind: String) throws {
        let words = ProgramCheck.line.split(separator: " ").map(String.init)
        let place = try #require(words.firstIndex(of: kind)) + 1
        var other = words
        other[place] = "77" + (words[place].hasSuffix(":") ? ":" : "")
        let flaw = try #require(ProgramCheck.flaw(of: other.joined(separator: " ")))
        #expect(flaw.contains("its \(kind) has version 77") && flaw.contains("restart the service"))
    }

    /// As programs before this check do.
    @Test func programCheck_rejectsALineWithoutVersions() {
        let line = "fodc-proxy 0.1.0 layout \(RingFormat.version): ok"
        #expect(ProgramCheck.flaw(of: line)?.contains("handover") == true)
        #expect(ProgramCheck.flaw(of: "") != nil)
    }

    @Test func programCheck_acceptsAdditionalFields() {
        #expect(ProgramCheck.flaw(of: ProgramCheck.line.replacing(": ok", with: " colour 3: ok")) == nil)
    }
}
