// SPDX-License-Identifier: Apache-2.0

/// The way of one answer through the blocks of its templates: each block once for each moment asked for, from a start
/// and with a stride that are drawn.
struct BlockWalk {
    private let blockCount: Int
    private let pointCount: Int
    private var generator: SimulationGenerator
    private var place = 0
    private var stride = 1
    private var pointIndex = 0
    private var remainingBlocks: Int

    init(blockCount: Int, pointCount: Int, seed: UInt64) {
        self.blockCount = blockCount
        self.pointCount = pointCount
        generator = SimulationGenerator(seed: seed)
        remainingBlocks = pointCount == 0 ? 0 : blockCount
        guard blockCount > 1 else { return }
        place = Int.random(in: 0..<blockCount, using: &generator)
        repeat {
            stride = Int.random(in: 1..<blockCount, using: &generator)
        } while !Self.areCoprime(stride, blockCount)  // else it would come back before it has been everywhere
    }

    var isDone: Bool { remainingBlocks == 0 }

    /// Where it stands; there must be something left.
    var block: Int { place }
    var point: Int { pointIndex }

    /// Goes on, and draws the variant of the block that it leaves.
    @inline(__always)
    mutating func step() -> Int {
        pointIndex += 1
        if pointIndex == pointCount {
            pointIndex = 0
            remainingBlocks -= 1
            place += stride
            if place >= blockCount { place -= blockCount }
        }
        return Int(truncatingIfNeeded: generator.next() % UInt64(TemplateSet.variantCount))
    }

    private static func areCoprime(_ a: Int, _ b: Int) -> Bool {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a == 1
    }
}
