// SPDX-License-Identifier: Apache-2.0
import Platform

/// The samples of one capture, or of two that are compared, as one tree of calls. Node 0 is the root, which is no function;
/// a node comes after its parent.
struct CallTree: Sendable {
    /// A capture's part in the tree.
    enum Side: Sendable {
        /// The one that is shown.
        case shown
        /// The one that it is compared with.
        case base
    }

    /// Values of the shown capture and of its base.
    struct Values: Sendable, Equatable {
        var shown: Int64 = 0
        var base: Int64 = 0

        /// The largest or smallest number in place of one beyond it.
        mutating func add(_ other: Values) {
            shown = shown.addingClamped(other.shown)
            base = base.addingClamped(other.base)
        }

        var difference: Int64 { shown.subtractingClamped(base) }
        var isZero: Bool { shown == 0 && base == 0 }
    }

    struct Node: Sendable {
        var parent: Int32
        var frame: Int32
        /// Of samples that end here.
        var own = Values()
        /// Of samples that come by.
        var total = Values()
    }

    private(set) var nodes = [Node(parent: -1, frame: -1)]
    private(set) var frames: [PprofProfile.Frame] = []
    /// Places in `children` of those of each node.
    private var childStarts: [Int32] = []
    private var children: [Int32] = []
    private var frameByName: [String: Int32] = [:]
    private var nodeByPlace: [UInt64: Int32] = [:]
    private let limits: PprofLimits

    /// - Parameters:
    ///   - shown: the capture, and which of its kinds of values counts.
    ///   - base: of the same kind of values.
    init(
        _ shown: PprofProfile, type: Int, base: (profile: PprofProfile, type: Int)? = nil, limits: PprofLimits
    ) throws(PprofError) {
        self.limits = limits
        if let base { try add(base.profile, type: base.type, .base) }
        try add(shown, type: type, .shown)
        nodeByPlace = [:]
        for index in nodes.indices.reversed() {
            nodes[index].total.add(nodes[index].own)
            if index > 0 { nodes[Int(nodes[index].parent)].total.add(nodes[index].total) }
        }
        linkChildren()
    }

    /// In the order of their names, so that two captures look alike.
    func children(of node: Int) -> ArraySlice<Int32> { children[Int(childStarts[node])..<Int(childStarts[node + 1])] }

    func name(of node: Int) -> String { node == 0 ? "all" : frames[Int(nodes[node].frame)].name }

    /// Calls `enter` with each node before its children, and `leave` after them.
    func walk(enter: (_ node: Int, _ depth: Int) -> Bool, leave: (_ node: Int) -> Void = { _ in }) {
        // Places in `children` of the next node of each level.
        var open: [(node: Int, rest: ArraySlice<Int32>)] = []
        func begin(_ node: Int) {
            let isWanted = enter(node, open.count)
            open.append((node, isWanted ? children(of: node) : []))
        }
        begin(0)
        while let last = open.indices.last {
            if let child = open[last].rest.popFirst() {
                begin(Int(child))
            } else {
                leave(open.removeLast().node)
            }
        }
    }

    /// Nodes from a node up to the root, without it; the outermost call first.
    func path(to node: Int) -> [Int] {
        var path: [Int] = []
        var next = node
        while next > 0 {
            path.append(next)
            next = Int(nodes[next].parent)
        }
        return path.reversed()
    }

    private mutating func add(_ profile: PprofProfile, type: Int, _ side: Side) throws(PprofError) {
        let own = profile.frames.map { intern($0) }
        try profile.forEachSample(type: type) { (stack, value) throws(PprofError) in
            guard value != 0 else { return }
            var node: Int32 = 0
            for frame in stack { node = try child(of: node, own[Int(frame)]) }
            nodes[Int(node)].own.add(side == .shown ? Values(shown: value) : Values(base: value))
        }
    }

    private mutating func intern(_ frame: PprofProfile.Frame) -> Int32 {
        if let known = frameByName[frame.name] { return known }
        let index = Int32(frames.count)
        frames.append(frame)
        frameByName[frame.name] = index
        return index
    }

    private mutating func child(of parent: Int32, _ frame: Int32) throws(PprofError) -> Int32 {
        let place = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: frame))
        if let known = nodeByPlace[place] { return known }
        guard nodes.count < limits.nodes else { throw .tooLarge("distinct calls", limit: limits.nodes) }
        let index = Int32(nodes.count)
        nodes.append(Node(parent: parent, frame: frame))
        nodeByPlace[place] = index
        return index
    }

    private mutating func linkChildren() {
        let order = nodes.indices.dropFirst().sorted {
            let (one, other) = (nodes[$0], nodes[$1])
            if one.parent != other.parent { return one.parent < other.parent }
            return frames[Int(one.frame)].name < frames[Int(other.frame)].name
        }
        children = order.map(Int32.init)
        childStarts = []
        var next = 0
        for node in nodes.indices {
            while next < order.count, nodes[order[next]].parent < Int32(node) { next += 1 }
            childStarts.append(Int32(next))
        }
        childStarts.append(Int32(order.count))
    }
}
