// SPDX-License-Identifier: Apache-2.0
import Foundation
import Fuzz
import TestSupport
import Testing

/// Every target over its seeds, the inputs that are checked in, and mutations of both out of a seed. `make fuzz` goes
/// on from there with a sanitizer and coverage; this is what `make test` has time for.
@Suite struct FuzzTargetTests {
    /// Mutations of one run, so that all targets take some 20 s in a debug build; a ring costs more than a text.
    private static func mutationCount(_ target: FuzzTarget) -> Int {
        target.name.hasPrefix("ring-") || target.name.hasPrefix("metrics-") ? 50 : 200
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let corpus = folder.appendingPathComponent("../../Tools/Fuzz/Corpus").standardized

    private static func corpus(_ target: FuzzTarget) throws -> [[UInt8]] {
        let own = corpus.appendingPathComponent(target.name)
        guard FileManager.default.fileExists(atPath: own.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: own, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    }

    /// Runs an input that lies in a file meanwhile: what makes the program trap is found there.
    private static func run(_ target: FuzzTarget, _ input: [UInt8], in file: URL, _ what: Comment) throws {
        try Data(input).write(to: file)
        do {
            try target.run(input)
        } catch {
            Issue.record(
                "\(target.name): \(error); \(what); the input is \(Data(input).base64EncodedString()) (base64)")
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func fuzzTarget_holdsForSeedsAndTheirMutations(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(name).input")
        let inputs = try target.seeds() + Self.corpus(target)
        #expect(!inputs.isEmpty)
        for (index, input) in inputs.enumerated() {
            #expect(input.count <= target.limitBytes, "input \(index)")
            try Self.run(target, input, in: file, "input \(index)")
        }
        for seed in UInt64(0)..<UInt64(Self.mutationCount(target)) {
            var random = SeededGenerator(seed: seed)
            let input = Mutation.of(inputs, using: &random)
            try Self.run(target, Array(input.prefix(target.limitBytes)), in: file, "mutation \(seed)")
        }
        try FileManager.default.removeItem(at: file)
    }

    @Test func fuzzCorpus_isSmallAndOfExistingTargets() throws {
        let names = Set(FuzzTarget.all.map(\.name))
        var byteCount = 0
        for folder in try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path) where folder != "README" {
            #expect(names.contains(folder))
            guard let target = FuzzTarget.named(folder) else { continue }
            for input in try Self.corpus(target) {
                #expect(input.count <= 1024)
                byteCount += input.count
            }
        }
        #expect(byteCount <= 300 << 10)
    }
}

/// The mutations that a fuzzer without coverage applies to an input.
private enum Mutation {
    private static let numbers: [[UInt8]] = [
        [0], [1], [0x7f], [0x80], [0xff], [0xff, 0xff], [0, 1], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80],
        [UInt8](repeating: 0xff, count: 8), [0, 0, 0, 0, 0, 0, 0, 0x80], [0xff, 0xff, 0xff, 0xff, 0x0f],
    ]

    static func of(_ inputs: [[UInt8]], using random: inout SeededGenerator) -> [UInt8] {
        guard var bytes = inputs.randomElement(using: &random) else { return [] }
        for _ in 0...random.below(6) {
            let place = bytes.isEmpty ? 0 : random.below(bytes.count)
            let end = min(bytes.count, place + 1 + random.below(16))
            switch random.below(8) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1 where place < bytes.count: bytes[place] = UInt8(random.below(256))
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.insert(contentsOf: random.bytes(1 + random.below(8)), at: place)
            case 5:
                let number = numbers[random.below(numbers.count)]
                bytes.replaceSubrange(place..<min(bytes.count, place + number.count), with: number)
            case 6: bytes = Array(bytes.prefix(place))
            default:
                let other = inputs.randomElement(using: &random) ?? []
                bytes = Array(bytes.prefix(place)) + other.suffix(random.below(other.count + 1))
            }
        }
        return bytes
    }
}
