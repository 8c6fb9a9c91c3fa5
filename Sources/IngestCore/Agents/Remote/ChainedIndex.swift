// SPDX-License-Identifier: Apache-2.0

/// Finds the nodes that have a key: a dictionary of first nodes, and links from each node to its neighbours of the same key.
/// Inserting and removing a node takes a constant time, however many nodes have its key.
struct ChainedIndex<Key: Hashable> {
    fileprivate struct Links {
        var previous: Int32
        var next: Int32
    }

    /// No node.
    fileprivate static var none: Int32 { -1 }
    /// A look-up gives no more nodes than this, the newest first: agents have one entry a worker, and duplicates are few. A
    /// damaged table may say anything.
    static var longestLookup: Int { 64 }

    private var firsts: [Key: Int32] = [:]
    private var links: [Links] = []

    init() {}

    mutating func insert(_ node: Int, key: Key) {
        while links.count <= node { links.append(Links(previous: Self.none, next: Self.none)) }
        let second = firsts.updateValue(Int32(node), forKey: key) ?? Self.none
        links[node] = Links(previous: Self.none, next: second)
        if second != Self.none { links[Int(second)].previous = Int32(node) }
    }

    mutating func remove(_ node: Int, key: Key) {
        let link = links[node]
        if link.previous != Self.none {
            links[Int(link.previous)].next = link.next
        } else {
            firsts[key] = link.next != Self.none ? link.next : nil
        }
        if link.next != Self.none { links[Int(link.next)].previous = link.previous }
    }

    /// The newest ``longestLookup`` at most.
    func nodes(of key: Key) -> Nodes { Nodes(links: links, node: firsts[key] ?? Self.none) }

    struct Nodes: Sequence, IteratorProtocol {
        fileprivate let links: [Links]
        fileprivate var node: Int32
        private var left = ChainedIndex.longestLookup

        fileprivate init(links: [Links], node: Int32) {
            self.links = links
            self.node = node
        }

        mutating func next() -> Int? {
            guard node != ChainedIndex.none, left > 0 else { return nil }
            defer { node = links[Int(node)].next }
            left -= 1
            return Int(node)
        }
    }
}
