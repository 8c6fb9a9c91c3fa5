// SPDX-License-Identifier: Apache-2.0
import Settings
import Testing

@testable import SupervisorCore

@Suite struct ControlRequestTests {
    static let reload = ReloadRequest(
        flags: [.init("max-agents", "5"), .init("state-dir", ""), .init("max-agents", "a=b")],
        environment: [.init("FODC_MAX_AGENTS", "7"), .init("TMPDIR", "/tmp"), .init("FODC_A_NEW_ONE", "=")],
        libexecDirectory: "/usr/libexec/fodc proxy")

    @Test(arguments: [
        ControlRequest.status(isJSON: false), .status(isJSON: true), .blackBox, .scale(1), .scale(64),
        .restart(WorkerName(.exporter)), .restart(WorkerName(.ingest, 63)), .drain(WorkerName(.ingest, 0)),
        .logLevel(.trace), .reload(reload), .reload(ReloadRequest(flags: [], environment: [])),
    ])
    func controlRequest_decodesToTheEncodedRequest(request: ControlRequest) throws {
        let bytes = ControlFrames.encode(fields: request.fields)
        let fields = try #require(try ControlFrames.decodeRequest(bytes))
        #expect(try ControlRequest(fields: fields) == request)
    }

    @Test(arguments: [
        [], [""], ["Status"], ["status", "xml"], ["status", "json", "json"], ["scale"], ["scale", "0"],
        ["scale", "65"],
        ["scale", "+1"], ["scale", "01"], ["scale", "1 "], ["scale", "1", "2"], ["restart"], ["restart", "ingest"],
        ["restart", "ingest-64"], ["restart", "ingest-01"], ["restart", "exporter-0"], ["restart", "supervisor"],
        ["drain", "ingest--1"], ["log-level", "loud"], ["log-level", ""], ["reload", "max-agents=5"],
        ["reload", "flag:max-agents"], ["reload", "flag:=5"], ["reload", "flag:--x=5"], ["reload", "flag:A=5"],
        ["reload", "env:PATH=/bin"], ["reload", "env:LD_PRELOAD=x"], ["reload", "env:FODC_x=1"],
        ["reload", "env:FODC_"],
        ["reload", "libexec:bin"], ["reload", "libexec:"], ["kill", "1"],
    ])
    func controlRequest_rejectsOtherFields(fields: [String]) {
        let error = #expect(throws: ControlRequestError.self) { try ControlRequest(fields: fields) }
        #expect(error?.description.contains("\n") == false)
    }

    @Test func controlRequest_errorsEscapeHostileText() {
        let error = #expect(throws: ControlRequestError.self) {
            try ControlRequest(fields: ["\u{1B}[2J\n" + String(repeating: "x", count: 1000)])
        }
        #expect(error?.description.utf8.count ?? 0 < 200)
        #expect(error?.description.unicodeScalars.contains { $0.value < 0x20 } == false)
    }

    @Test func controlRequest_describesAReloadLikeTheCommandLine() {
        let reload = Self.reload
        #expect(
            reload.arguments == [
                "--max-agents=5", "--state-dir=", "--max-agents=a=b", "--libexec-dir=/usr/libexec/fodc proxy",
            ])
        #expect(reload.knownFlags.map(\.flag) == [.maxAgents, .stateDirectory, .maxAgents])
        #expect(reload.variable("FODC_MAX_AGENTS") == "7" && reload.variable("HOME") == nil)
        let picked = ReloadRequest.pickEnvironment { ["FODC_MAX_AGENTS": "7", "PATH": "/", "TMPDIR": "/x"][$0] }
        #expect(picked == [.init("FODC_MAX_AGENTS", "7"), .init("TMPDIR", "/x")])
    }

    // MARK: Frames

    @Test func controlFrames_waitForACompleteRequest() throws {
        let bytes = ControlFrames.encode(fields: ["scale", "4"])
        for count in 0..<bytes.count { #expect(try ControlFrames.decodeRequest(Array(bytes.prefix(count))) == nil) }
        #expect(try ControlFrames.decodeRequest(bytes) == ["scale", "4"])
        #expect(throws: ControlRequestError.self) { try ControlFrames.decodeRequest(bytes + [0]) }
    }

    @Test func controlFrames_limitRequests() throws {
        let longest = ControlFrames.encode(fields: [String(repeating: "x", count: ControlFrames.limitRequestBytes)])
        #expect(try ControlFrames.decodeRequest(longest)?.count == 1)
        // The length alone is enough to refuse.
        let longer = ControlFrames.encode(fields: [String(repeating: "x", count: ControlFrames.limitRequestBytes + 1)])
        #expect(throws: ControlRequestError.self) { try ControlFrames.decodeRequest(Array(longer.prefix(4))) }
        #expect(throws: ControlRequestError.self) { try ControlFrames.decodeRequest([255, 255, 255, 255]) }
        let fields = [String](repeating: "", count: ControlFrames.limitFields)
        #expect(try ControlFrames.decodeRequest(ControlFrames.encode(fields: fields)) == fields)
        #expect(throws: ControlRequestError.self) {
            try ControlFrames.decodeRequest(ControlFrames.encode(fields: fields + [""]))
        }
        #expect(throws: ControlRequestError.self) { try ControlFrames.decodeRequest([1, 0, 0, 0, 0xFF]) }
        #expect(try ControlFrames.decodeRequest([0, 0, 0, 0]) == [""])
    }

    @Test func controlFrames_readAnswersInPieces() throws {
        let text = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        var bytes = ControlFrames.encode(.output(text)) + ControlFrames.encode(.error([7]))
        bytes += ControlFrames.encode(.end(exitCode: 3))
        var (output, error, rest): ([UInt8], [UInt8], ArraySlice<UInt8>) = ([], [], bytes[...])
        var code: UInt8?
        while let (answer, byteCount) = try ControlFrames.decodeAnswer(rest) {
            rest = rest.dropFirst(byteCount)
            switch answer {
            case .output(let piece): output += piece
            case .error(let piece): error += piece
            case .end(let exitCode): code = exitCode
            }
        }
        #expect(output == text && error == [7] && code == 3 && rest.isEmpty)
        for nonsense: [UInt8] in [[0, 0, 0, 0], [1, 0, 0, 0, 65], [1, 0, 0, 0, 120], [255, 255, 255, 127]] {
            #expect(throws: ControlRequestError.self) { try ControlFrames.decodeAnswer(nonsense[...]) }
        }
    }
}
