// SPDX-License-Identifier: Apache-2.0

/// An edge as a cubic curve from one box to the other: out at the side that faces the target, and around where both stand in
/// one column.
struct Curve {
    private let xs: (Int, Int, Int, Int)
    private let ys: (Int, Int, Int, Int)

    init(_ from: GraphLayout.Box, _ to: GraphLayout.Box) {
        let isForward = to.x > from.right
        let isBackward = to.right < from.x
        let startX = isBackward ? from.x : from.right
        let endX = isForward ? to.x - 2 : to.right + 2
        let bend = isForward || isBackward ? max(30, abs(endX - startX) / 2) : 70
        xs = (startX, isBackward ? startX - bend : startX + bend, isForward ? endX - bend : endX + bend, endX)
        ys = (from.middle, from.middle, to.middle, to.middle)
    }

    var path: String { "M\(xs.0) \(ys.0)C\(xs.1) \(ys.1) \(xs.2) \(ys.2) \(xs.3) \(ys.3)" }

    /// A point of the curve.
    func point(at share: Double) -> (x: Int, y: Int) {
        (Self.coordinate(xs, at: share), Self.coordinate(ys, at: share))
    }

    private static func coordinate(_ points: (Int, Int, Int, Int), at share: Double) -> Int {
        let rest = 1 - share
        let near = rest * rest * (rest * Double(points.0) + 3 * share * Double(points.1))
        let far = share * share * (3 * rest * Double(points.2) + share * Double(points.3))
        return Int((near + far).rounded())
    }
}

/// Places for the figures at edges.
struct GraphLabels {
    /// Fiftieths of a curve that are tried, in this order: those near a third and two thirds first, where edges that cross do
    /// not meet.
    private static let places: [Int] = (5...45).sorted { distance($0) < distance($1) }

    private static func distance(_ fiftieths: Int) -> Int { min(abs(3 * fiftieths - 50), abs(3 * fiftieths - 100)) }

    /// Of a letter of 11 px, and of a line.
    private static let (letterWidth, lineHeight) = (6, 13)

    private struct Area {
        var x: Range<Int>
        var y: Range<Int>

        func overlaps(_ other: Area) -> Bool { x.overlaps(other.x) && y.overlaps(other.y) }
    }

    private var taken: [Area]

    init(_ boxes: [GraphLayout.Box]) {
        taken = boxes.map { Area(x: $0.x..<$0.right, y: $0.y..<$0.y + $0.height) }
    }

    /// Takes the first place that is free: the middle of the text's base line. `nil`: no place is free.
    mutating func place(_ text: String, on curve: Curve) -> (x: Int, y: Int)? {
        let half = text.unicodeScalars.count * Self.letterWidth / 2
        for place in Self.places {
            let point = curve.point(at: Double(place) / 50)
            let (x, y) = (point.x, point.y - 4)
            let area = Area(x: x - half..<x + half + 1, y: y - Self.lineHeight + 3..<y + 3)
            guard !taken.contains(where: { $0.overlaps(area) }) else { continue }
            taken.append(area)
            return (x, y)
        }
        return nil
    }
}
