// SPDX-License-Identifier: Apache-2.0

/// Which series the agents of one kind have: as many as wanted, the families in turns, so that a small number has
/// some of everything and a large one has more groups and shards, as a larger database has.
public struct SeriesPlan: Sendable {
    public let kind: NodeKind
    /// Components of one histogram or summary stand together; none is there without the others.
    public let series: [PlannedSeries]

    /// - Parameter count: 0 or more.
    public init(kind: NodeKind, count: Int) {
        var series: [PlannedSeries] = []
        series.reserveCapacity(count)
        let families = FamilyCatalogue.all.map { (family: $0, containers: Self.containers(of: $0, kind)) }
        var round = 0
        while series.count < count {  // ends: some families of every kind have children without end
            for (family, containers) in families where !containers.isEmpty {
                let (child, container) = round.quotientAndRemainder(dividingBy: containers.count)
                if let limit = family.childCount, child >= limit { continue }
                let members = Self.members(of: family, child: child, container: containers[container], kind)
                if series.count + members.count <= count { series += members }
            }
            round += 1
        }
        self.kind = kind
        self.series = series
    }

    private static func containers(of family: MetricFamily, _ kind: NodeKind) -> [String] {
        let all = kind.containerNames
        return switch family.place {
        case .main, .kernel: [all[0]]
        case .everyContainer: all
        case .liaisonOnly: kind == .liaison ? [all[0]] : []
        case .dataOnly: kind == .liaison ? [] : [all[0]]
        case .lifecycle: Array(all.dropFirst())
        }
    }

    private static func members(
        of family: MetricFamily, child: Int, container: String, _ kind: NodeKind
    ) -> [PlannedSeries] {
        let own = family.labels(ofChild: child) + [("container_name", container)]
        let isTagged = family.place != .kernel
        let labels = isTagged ? own + [("node_role", kind.nodeRole)] : own
        let childKey = StableHash.fnv1a(ValueSource.seriesText(name: family.name, labels: own))

        func member(
            _ suffix: String, _ type: SampleType, _ model: ValueModel, extra: [(name: String, value: String)] = []
        ) -> PlannedSeries {
            let all = extra + labels
            return PlannedSeries(
                name: family.name + suffix, labels: all, hasPodName: isTagged, type: type,
                help: type.hasDescription ? family.help : "", model: model, childKey: childKey,
                textKey: StableHash.fnv1a(ValueSource.seriesText(name: family.name + suffix, labels: all)))
        }

        switch family.shape {
        case .plain(let type, let model):
            return [member("", type, model)]
        case .histogram(let bounds, let rate, let mean):
            let buckets = bounds.enumerated().map { index, bound in
                let part = cumulativePart(index, of: bounds.count)
                return member(
                    "_bucket", .histogram, ValueModel(.bucket, scale: rate, detail: part), extra: [("le", bound)])
            }
            return buckets + [
                member(
                    "_bucket", .histogram, ValueModel(.counter, scale: rate), extra: [("le", "+Inf")]),
                member("_sum", .histogram, ValueModel(.sum, scale: rate, detail: mean)),
                member("_count", .histogram, ValueModel(.counter, scale: rate)),
            ]
        case .summary(let quantiles, let rate, let mean):
            return quantiles.map { text, value in
                member("", .summary, ValueModel(.quantile, scale: value), extra: [("quantile", text)])
            } + [
                member("_sum", .summary, ValueModel(.sum, scale: rate, detail: mean)),
                member("_count", .summary, ValueModel(.counter, scale: rate)),
            ]
        }
    }

    /// The part of the observations that bucket `index` of `count` finite ones holds: rising, and less than all.
    private static func cumulativePart(_ index: Int, of count: Int) -> Double {
        let above = 1 - Double(index + 1) / Double(count + 1)
        return 1 - above * above
    }
}
