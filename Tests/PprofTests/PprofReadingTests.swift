// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pprof

/// Profiles as agents send them, sound and not.
@Suite struct PprofReadingTests {
    private static func sound() -> TestProfile {
        var profile = TestProfile([("alloc_space", "bytes"), ("inuse_space", "bytes")])
        profile.add(["main.main", "main.run"], 7, 5)
        profile.add(["main.main"], 1, 0)
        return profile
    }

    private static func refusal(_ change: (inout TestProfile) -> Void) -> PprofError? {
        var profile = sound()
        change(&profile)
        return failure { _ = try profile.view() }
    }

    @Test func pprofProfile_readsGzipAndPlain() throws {
        let bytes = try Self.sound().bytes
        // A reader of gzip goes on behind a member's end.
        let half = bytes.count / 2
        for form in [bytes, gzip(bytes), gzip(Array(bytes[..<half])) + gzip([]) + gzip(Array(bytes[half...]))] {
            let profile = try PprofProfile(form.span.bytes, limits: .wide)
            #expect(profile.sampleTypes.map(\.name) == ["alloc_space", "inuse_space"])
            #expect(Set(profile.frames.map(\.name)) == ["main.main", "main.run"])
            #expect(Set(profile.frames.map(\.file)) == ["main.main.go", "main.run.go"])
        }
    }

    @Test func pprofProfile_refusesDamagedGzip() throws {
        let whole = gzip(try Self.sound().bytes)
        for count in [2, 9, 10, 20, whole.count - 8, whole.count - 1] {
            let cut = Array(whole[..<count])
            let error = failure { _ = try PprofProfile(cut.span.bytes, limits: .wide) }
            #expect(error?.cause == .malformed && error?.text.contains("gzip is cut off") == true, "\(count)")
        }
        var wrongChecksum = whole
        wrongChecksum[whole.count - 6] ^= 1
        let behind = whole + [1, 2, 3, 4]
        for damaged in [wrongChecksum, behind] {
            let error = failure { _ = try PprofProfile(damaged.span.bytes, limits: .wide) }
            #expect(error?.cause == .malformed, "\(String(describing: error))")
        }
    }

    @Test func pprofProfile_stopsAtTheExpandedLimit() throws {
        var limits = PprofLimits.wide
        limits.expandedBytes = 1 << 20
        let fits = gzip([UInt8](repeating: 0, count: limits.expandedBytes))
        #expect(failure { _ = try PprofProfile(fits.span.bytes, limits: limits) }?.cause == .malformed)
        let bomb = gzip([UInt8](repeating: 0, count: limits.expandedBytes + 1))
        let error = failure { _ = try PprofProfile(bomb.span.bytes, limits: limits) }
        #expect(error?.cause == .tooLarge && error?.text.contains("1048576 expanded bytes") == true)
        limits.compressedBytes = bomb.count - 1
        let tooLong = failure { _ = try PprofProfile(bomb.span.bytes, limits: limits) }
        #expect(tooLong?.text.contains("more than \(bomb.count - 1) bytes") == true)
    }

    @Test func pprofProfile_takesItsOwnDefaultOrTheLastSampleType() throws {
        var profile = Self.sound()
        #expect(try profile.read().defaultSampleType == 1)
        profile.message.defaultSampleType = profile.text("alloc_space")
        #expect(try profile.read().defaultSampleType == 0)
        profile.message.defaultSampleType = profile.text("unheard_of")
        #expect(try profile.read().defaultSampleType == 1)
        let read = try profile.read()
        #expect(try read.sampleType(named: "alloc_space") == 0)
        let error = failure { _ = try read.sampleType(named: "cpu") }
        #expect(
            error?.cause == .unknownSampleType && error?.text.contains("there are alloc_space, inuse_space") == true)
    }

    @Test func pprofProfile_refusesReferencesToNothing() {
        func text(_ change: (inout TestProfile) -> Void) -> String { Self.refusal(change)?.text ?? "not refused" }
        #expect(text { $0.message.location.removeLast() }.contains("location 2, which"))
        #expect(text { $0.message.function.removeLast() }.contains("names function 2, which"))
        #expect(text { $0.message.location.append($0.message.location[0]) }.contains("two locations"))
        #expect(text { $0.message.function.append($0.message.function[0]) }.contains("two functions"))
        #expect(text { $0.message.location[0].id = 0 }.contains("id 0"))
        #expect(text { $0.message.function[0].id = 0 }.contains("id 0"))
        #expect(text { $0.message.function[0].name = 99 }.contains("string 99 and has"))
        #expect(text { $0.message.function[0].name = .min }.contains("string -9223372036854775808"))
        #expect(text { $0.message.sampleType[0].unit = .max }.contains("string 9223372036854775807"))
        #expect(text { $0.message.sample[0].value.removeLast() }.contains("1 values instead of 2"))
        #expect(text { $0.message.sampleType = [] }.contains("no sample type"))
    }

    @Test(
        arguments: [[], [0], [0x0a], [0xff], Array("<html>".utf8), [0x12, 0x7f, 1], [0x0a, 2, 0xff, 0xff]] as [[UInt8]])
    func pprofProfile_refusesOtherBytes(bytes: [UInt8]) {
        #expect(failure { _ = try PprofProfile(bytes.span.bytes, limits: .wide) }?.cause == .malformed)
    }

    @Test func pprofProfile_namesFramesWithoutSymbols() throws {
        var profile = Self.sound()
        profile.message.location[0].line = []
        profile.message.function[1].name = 0
        profile.message.function[1].systemName = profile.text("_run")
        #expect(try Set(profile.read().frames.map(\.name)) == ["0x1001", "_run"])
        profile.message.function[1].systemName = 0
        #expect(try profile.read().frames.allSatisfy { $0.name.hasPrefix("0x100") })
    }

    @Test func pprofProfile_ordersInlinedCallsOutermostFirst() throws {
        var profile = TestProfile()
        profile.add(["main", "inlined"], 3)
        // One location with two lines, the innermost call first.
        profile.message.location[0].line += profile.message.location[1].line
        profile.message.sample[0].locationID = [1]
        #expect(try profile.text(.collapsed) == "main;inlined 3\n")
    }

    @Test func pprofProfile_cleansNames() throws {
        var profile = TestProfile()
        profile.add(["a\u{1b}[1m\n\u{202e}\u{85}b", String(repeating: "x", count: 100_000)], 1)
        let names = try profile.read().frames.map(\.name).sorted()
        #expect(names[0] == "a\u{fffd}[1m\u{fffd}\u{fffd}\u{fffd}b")
        #expect(names[1] == String(repeating: "x", count: PprofLimits.nameBytes) + "…")
        var bytes = try profile.bytes
        // In the string itself, behind its key and length: no UTF-8.
        let place = try #require(bytes.firstIndex(of: 0x1b))
        bytes[place] = 0xff
        let repaired = try PprofProfile(bytes.span.bytes, limits: .wide)
        #expect(repaired.frames.contains { $0.name.hasPrefix("a\u{fffd}[1m") })
    }

    @Test func pprofProfile_limitsItsTables() {
        var limits = PprofLimits.wide
        limits.entries = 10
        var profile = TestProfile()
        for number in 0..<4 { profile.add(["f\(number)"], 1) }
        let error = failure { _ = try profile.read(limits) }
        #expect(error?.cause == .tooLarge && error?.text.contains("10 strings, functions, locations and lines") == true)
        var types = TestProfile((0...PprofLimits.sampleTypes).map { ("t\($0)", "count") })
        _ = types.text("")
        #expect(failure { _ = try types.read() }?.text.contains("16 sample types") == true)
    }

    @Test func pprofProfile_limitsStacks() {
        var profile = TestProfile()
        profile.add(["f"], 1)
        profile.message.sample[0].locationID = Array(repeating: 1, count: PprofLimits.framesPerSample)
        #expect(failure { _ = try profile.view() } == nil)
        profile.message.sample[0].locationID.append(1)
        #expect(failure { _ = try profile.view() }?.text.contains("4096 frames in a sample") == true)
        profile.message.sample[0].locationID = Array(repeating: 1, count: PprofLimits.messageBytes)
        #expect(failure { _ = try profile.view() }?.text.contains("bytes in a sample") == true)
        var limits = PprofLimits.wide
        limits.frames = 6
        profile.message.sample = []
        profile.add(["f", "g", "h"], 1)
        profile.add(["h", "g", "f"], 1)
        #expect(failure { _ = try profile.view(limits: limits) } == nil)
        profile.add(["f"], 1)
        #expect(failure { _ = try profile.view(limits: limits) }?.text.contains("more than 6 frames") == true)
    }

    @Test func callTree_limitsItsNodes() {
        var limits = PprofLimits.wide
        limits.nodes = 3
        var profile = TestProfile()
        profile.add(["a", "b"], 1)
        #expect(failure { _ = try profile.view(limits: limits) } == nil)
        profile.add(["a", "c"], 1)
        #expect(failure { _ = try profile.view(limits: limits) }?.text.contains("3 distinct calls") == true)
    }
}
