// SPDX-License-Identifier: Apache-2.0

/// A filter, resolved for one table.
enum TableFilter: Equatable {
    /// No series passes.
    case none
    /// Every series passes: the table has no other values.
    case all
    /// Each series must be asked.
    case each

    init(_ filter: SeriesFilter?, _ table: SeriesTable) {
        guard let filter, !filter.isEmpty else {
            self = .all
            return
        }
        let parts = [Self.part(filter.role, table.nodeRoles), Self.part(filter.podName, table.podNames)]
        self = parts.contains(.none) ? .none : parts.contains(.each) ? .each : .all
    }

    private static func part(_ wanted: String?, _ values: DistinctValues) -> TableFilter {
        guard let wanted else { return .all }
        if values.isAny { return .each }
        guard values.contains(Array(wanted.utf8).span.bytes) else { return .none }
        return values.values.count == 1 ? .all : .each
    }
}
