// SPDX-License-Identifier: Apache-2.0

/// A family of metrics that nodes have, from which ``SeriesPlan`` makes as many series as are wanted.
struct MetricFamily: Sendable {
    enum Shape: Sendable {
        case plain(SampleType, ValueModel)
        /// Upper bounds without `+Inf`, as Go writes them; observations a second; mean of an observation.
        case histogram(bounds: [String], ratePerSecond: Double, mean: Double)
        /// Quantiles with their typical values; observations a second; mean of an observation.
        case summary(quantiles: [(text: String, value: Double)], ratePerSecond: Double, mean: Double)
    }

    enum Place: Sendable {
        /// The main container, with all the labels that an agent adds.
        case main
        /// Every container of the pod.
        case everyContainer
        /// The main container, but without `pod_name` and `node_role`: what the agent measures in the kernel.
        case kernel
        case liaisonOnly
        case dataOnly
        /// The container that moves old segments, where the pod has one.
        case lifecycle
    }

    let name: String
    let help: String
    let shape: Shape
    let axes: [LabelAxis]
    let place: Place

    /// How many combinations of label values there are; `nil`: without end.
    var childCount: Int? {
        axes.reduce(Int?.some(1)) { product, axis in product.flatMap { product in axis.count.map { product * $0 } } }
    }

    /// The labels of combination `index`; the last axis is the slowest and the only one that may be open.
    func labels(ofChild index: Int) -> [(name: String, value: String)] {
        var rest = index
        return axes.map { axis in
            guard let count = axis.count else { return (axis.name, axis.value(rest)) }
            defer { rest /= count }
            return (axis.name, axis.value(rest % count))
        }
    }

    static func counter(
        _ name: String, _ help: String, _ ratePerSecond: Double, _ axes: [LabelAxis] = [], _ place: Place = .main
    ) -> Self {
        let course: ValueModel.Course = ratePerSecond == 0 ? .zero : .counter
        return Self(
            name: name, help: help, shape: .plain(.counter, ValueModel(course, scale: ratePerSecond)), axes: axes,
            place: place)
    }

    static func seconds(
        _ name: String, _ help: String, _ ratePerSecond: Double, _ axes: [LabelAxis] = [], _ place: Place = .main
    ) -> Self {
        Self(
            name: name, help: help, shape: .plain(.counter, ValueModel(.fractionalCounter, scale: ratePerSecond)),
            axes: axes, place: place)
    }

    static func gauge(
        _ name: String, _ help: String, _ course: ValueModel.Course, _ scale: Double, _ detail: Double = 0.3,
        _ axes: [LabelAxis] = [], _ place: Place = .main
    ) -> Self {
        Self(
            name: name, help: help, shape: .plain(.gauge, ValueModel(course, scale: scale, detail: detail)),
            axes: axes, place: place)
    }

    static func histogram(
        _ name: String, _ help: String, _ bounds: [String], _ ratePerSecond: Double, _ mean: Double,
        _ axes: [LabelAxis] = [], _ place: Place = .main
    ) -> Self {
        Self(
            name: name, help: help, shape: .histogram(bounds: bounds, ratePerSecond: ratePerSecond, mean: mean),
            axes: axes, place: place)
    }

    static func summary(
        _ name: String, _ help: String, _ quantiles: [(text: String, value: Double)], _ ratePerSecond: Double,
        _ mean: Double, _ axes: [LabelAxis] = [], _ place: Place = .main
    ) -> Self {
        Self(
            name: name, help: help, shape: .summary(quantiles: quantiles, ratePerSecond: ratePerSecond, mean: mean),
            axes: axes, place: place)
    }
}
