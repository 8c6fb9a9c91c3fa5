// SPDX-License-Identifier: Apache-2.0
import Pprof
import SwiftProtobuf

// A profile as an agent sends it, in every form in which it is shown, alone or as the difference of two. An input is a byte
// whose lowest bit says whether there is a base, the base as a piece, and the profile.

extension FuzzTarget {
    static let profiles = FuzzTarget("profiles", seeds: ProfilesRun.seeds) { bytes in
        var input = FuzzInput(bytes)
        let base: [UInt8]? = input.flag() ? input.piece() : nil
        try ProfilesRun.show(input.rest(), base: base)
    }
}

private enum ProfilesRun {
    /// Small, so that limits are met.
    private static let limits = PprofLimits(memoryBytes: 256 << 10)
    /// A JSON value of the tree has its names and nothing of theirs.
    private static let harmfulBytes: Set<UInt8> = [0, 0x07, 0x1b, 0x7f]

    static func show(_ bytes: [UInt8], base: [UInt8]?) throws {
        let capture = ProfileView.Capture(podName: "pod-0", profileID: "p-2", kind: "heap")
        let view: ProfileView
        do throws(PprofError) {
            view = try ProfileView(capture, bytes, base: base.map { ("p-1", $0) }, sampleType: nil, limits: limits)
        } catch {
            return try hold(!error.text.isEmpty, "a refusal has no reason")
        }
        for format in ProfileFormat.allCases {
            let text: [UInt8]
            do throws(PprofError) {
                text = try view.text(format)
            } catch {
                try hold(error.cause == .tooLarge, "\(format) is refused: \(error.text)")
                continue
            }
            try hold(text.count <= limits.outputBytes, "\(format) has \(text.count) bytes")
            try hold(String(validating: text, as: UTF8.self) != nil, "\(format) is not UTF-8")
            try hold(!text.contains(where: harmfulBytes.contains), "\(format) has a control character")
            switch format {
            case .json, .speedscope: try JSONGrammar.check(text)
            case .svg: try checkPicture(text)
            case .collapsed, .top: break
            }
        }
    }

    /// Nothing but the picture's own elements begins a tag.
    private static func checkPicture(_ text: [UInt8]) throws(Finding) {
        let known = ["?xml ", "svg ", "/svg>", "title>", "/title>", "rect ", "text ", "/text>", "g>", "/g>"].map {
            Array($0.utf8)
        }
        for place in text.indices where text[place] == UInt8(ascii: "<") {
            let behind = text[(place + 1)...]
            try hold(known.contains { behind.starts(with: $0) }, "the picture has another tag at byte \(place)")
        }
    }

    static var seeds: [[UInt8]] {
        let profiles = [profile(values: [5, 7]), profile(values: [900, -3])].map { MetricsSeeds.wire($0) }
        var difference = SeedWriter(1)
        difference.piece(profiles[1])
        return [[0] + profiles[0], [0] + gzip(profiles[0]), difference.bytes + profiles[0]]
    }

    private static func profile(values: [Int64]) -> Perftools_Profiles_Profile {
        .with {
            $0.stringTable = ["", "space", "bytes", "main.main", "<b>&\"';\u{1b}", "file.go"]
            $0.sampleType = [
                .with {
                    $0.type = 1
                    $0.unit = 2
                }
            ]
            $0.function = (1...2).map { number in
                .with {
                    ($0.id, $0.name, $0.filename) = (UInt64(number), Int64(number + 2), 5)
                }
            }
            $0.location = (1...3).map { number in
                .with {
                    ($0.id, $0.address) = (UInt64(number), 0x1000)
                    if number < 3 { $0.line = [.with { $0.functionID = UInt64(number) }] }
                }
            }
            $0.sample = values.enumerated().map { place, value in
                .with {
                    $0.locationID = place == 0 ? [2, 1] : [3, 2, 2, 1]
                    $0.value = [value]
                }
            }
            $0.defaultSampleType = 1
        }
    }

    /// Stored, which is enough for the reader to be reached.
    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(bytes.count)
        let lengths = [count, ~count].flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        var checksum = UInt32.max
        for byte in bytes {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum & 1 == 1 ? 0xedb8_8320 ^ checksum >> 1 : checksum >> 1 }
        }
        let trailer = [~checksum, UInt32(count)].flatMap { word in (0..<4).map { UInt8(word >> ($0 * 8) & 0xff) } }
        return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1] + lengths + bytes + trailer
    }
}
