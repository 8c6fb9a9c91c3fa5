// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Metrics

/// The check reads only the parts of a text that the one before does not have. The verdict must be that on the whole text.
struct SeriesTextCheckTests {
    private static let pods = ["pod-a", "pod-b"]

    @Test(arguments: [81, 82, 83, 84] as [UInt64])
    func seriesText_isJudgedTheSameAfterAnyOther(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var (accepted, refused, shared) = (0, 0, 0)
        for _ in 0..<3000 {
            var check = Self.makeCheck()
            var before: [UInt8] = []
            for _ in 0..<6 {
                let text = Self.text(&generator, after: before)
                let isFirst = generator.chance(percent: 85)
                let isAccepted = check.accepts(text.span.bytes, isFirst: isFirst)
                var alone = Self.makeCheck()
                let isInOrder = isFirst || before.lexicographicallyPrecedes(text)
                let isAcceptedAlone = alone.accepts(text.span.bytes, isFirst: true) && isInOrder
                let shown = "\(String(decoding: text, as: UTF8.self)) after \(String(decoding: before, as: UTF8.self))"
                #expect(isAccepted == isAcceptedAlone, "seed \(seed): \(shown)")
                guard isAccepted else {
                    refused += 1
                    break
                }
                #expect(check.hasOddBucket == alone.hasOddBucket, "seed \(seed): \(shown)")
                #expect(check.hasOddQuantile == alone.hasOddQuantile, "seed \(seed): \(shown)")
                accepted += 1
                if zip(text, before).prefix(while: ==).count > text.count / 2 { shared += 1 }
                before = text
            }
        }
        #expect(accepted > 2000 && refused > 1000 && shared > 200, "seed \(seed): \(accepted), \(refused), \(shared)")
    }

    private static func makeCheck() -> SeriesTextCheck {
        let values = DistinctValues(values: pods.map { Array($0.utf8) }, isAny: false)
        return SeriesTextCheck(podNames: values, nodeRoles: values)
    }

    /// The text before with some bytes changed, put in or left out, or a new one.
    private static func text(_ generator: inout SeededGenerator, after before: [UInt8]) -> [UInt8] {
        guard !before.isEmpty, generator.chance(percent: 70) else { return newText(&generator) }
        let alphabet = Array("{ab=\"1,\\n}\n é ".utf8)
        var text = before
        let place = Int.random(in: 0..<text.count, using: &generator)
        let length = Int.random(in: 0...min(2, text.count - place - 1), using: &generator)
        let bytes = (0..<Int.random(in: 0...2, using: &generator)).map { _ in
            alphabet.randomElement(using: &generator)!
        }
        text.replaceSubrange(place..<(place + length), with: bytes)
        return text.isEmpty ? newText(&generator) : text
    }

    /// Mostly a good one, with a few labels out of a few.
    private static func newText(_ generator: inout SeededGenerator) -> [UInt8] {
        let bounds = ["1", "+Inf", "0.5", "1e3", "x", "-nan", ""]
        let values = ["", "v", "long value", "a\\\"b", "\\n\\\\", "é"]
        var labels: [String] = []
        for name in ["a", "b", "bb", "le", "node_role", "pod_name", "quantile", "z"] {
            let isNeeded = name == "node_role" || name == "pod_name"
            guard generator.chance(percent: isNeeded ? 98 : 40) else { continue }
            let choice =
                isNeeded
                ? pods + (generator.chance(percent: 2) ? ["pod-c"] : [])
                : name == "le" || name == "quantile" ? bounds : values
            labels.append("\(name)=\"\(choice.randomElement(using: &generator)!)\"")
        }
        if generator.chance(percent: 3) { labels.shuffle(using: &generator) }
        return Array("{\(labels.joined(separator: ","))} ".utf8)
    }
}
