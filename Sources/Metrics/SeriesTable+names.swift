// SPDX-License-Identifier: Apache-2.0

extension SeriesTable {
    /// The place of the only series of a name; nil when no series or several have it.
    public func onlySeries(named name: String) -> Int? {
        let wanted = Array(name.utf8)
        let bytes = self.bytes
        let found = blocks.first { ByteOrder.areEqual(bytes.span.bytes.extracting($0.name), wanted.span.bytes) }
        guard let found, found.count == 1 else { return nil }
        return found.first
    }
}
