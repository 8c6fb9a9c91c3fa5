// SPDX-License-Identifier: Apache-2.0

/// The mutations that a fuzzer without coverage applies to an input.
public enum Mutation {
    private static let numbers: [[UInt8]] = [
        [0], [1], [0x7f], [0x80], [0xff], [0xff, 0xff], [0, 1], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80],
        [UInt8](repeating: 0xff, count: 8), [0, 0, 0, 0, 0, 0, 0, 0x80], [0xff, 0xff, 0xff, 0xff, 0x0f],
    ]

    /// One of the inputs, changed in one to six places; the same for the same seed.
    public static func of(_ inputs: [[UInt8]], seed: UInt64) -> [UInt8] {
        var random = Random(state: seed)
        guard var bytes = random.element(inputs) else { return [] }
        for _ in 0...random.below(6) {
            let place = bytes.isEmpty ? 0 : random.below(bytes.count)
            let end = min(bytes.count, place + 1 + random.below(16))
            switch random.below(8) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1 where place < bytes.count: bytes[place] = UInt8(random.below(256))
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.insert(contentsOf: (0...random.below(8)).map { _ in random.byte() }, at: place)
            case 5:
                let number = numbers[random.below(numbers.count)]
                bytes.replaceSubrange(place..<min(bytes.count, place + number.count), with: number)
            case 6: bytes = Array(bytes.prefix(place))
            default:
                let other = random.element(inputs) ?? []
                bytes = Array(bytes.prefix(place)) + other.suffix(random.below(other.count + 1))
            }
        }
        return bytes
    }

    /// SplitMix64.
    private struct Random {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = state
            word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
            return word ^ (word >> 31)
        }

        mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

        mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }

        mutating func element(_ inputs: [[UInt8]]) -> [UInt8]? { inputs.isEmpty ? nil : inputs[below(inputs.count)] }
    }
}
