// SPDX-License-Identifier: Apache-2.0
import Foundation
import Fuzz
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
            let input = Mutation.of(inputs, seed: seed)
            try Self.run(target, Array(input.prefix(target.limitBytes)), in: file, "mutation \(seed)")
        }
        try FileManager.default.removeItem(at: file)
    }

    @Test func mutation_isTheSameForTheSameSeedAlone() {
        let input = Array(UInt8(0)..<64)
        let made = (0..<100).map { Mutation.of([input], seed: $0) }
        #expect(made == (0..<100).map { Mutation.of([input], seed: $0) })
        #expect(Set(made).count > 90)
        #expect(Mutation.of([], seed: 1) == [])
        #expect(Set((0..<100).map { Mutation.of([[]], seed: $0) }).count > 1, "bytes are inserted")
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
