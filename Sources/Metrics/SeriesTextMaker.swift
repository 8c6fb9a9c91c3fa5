// SPDX-License-Identifier: Apache-2.0

/// Makes the canonical text of a series, `name{a="1",b="2"} `: labels sorted by name, values escaped, the
/// registration's labels added. It is made once for each series, when it is first seen.
struct SeriesTextMaker {
    /// A part of a text: a label of the message or one of the enrichment, by its index there.
    private enum Source {
        case message(Int32)
        case enrichment(Int32)
    }

    let limits: SeriesLimits
    let enrichment: Enrichment
    /// The labels `pod_name` and `node_role` of the made texts.
    var podNames = DistinctValues()
    var nodeRoles = DistinctValues()
    /// Sorted by name, no name twice.
    private var sources: [Source] = []
    /// Comparisons of labels' names: what tests bound the work by.
    private(set) var comparisonCount = 0

    init(limits: SeriesLimits, enrichment: Enrichment) {
        self.limits = limits
        self.enrichment = enrichment
    }

    enum Outcome {
        case text([UInt8], dependsOnOrder: Bool)
        case dropped(DropCause)
    }

    mutating func make(_ message: RawSpan, _ fields: MetricFields) -> Outcome {
        let name = message.extracting(fields.name)
        guard NameRules.isMetricName(name) else {
            return .dropped(name.isUTF8 ? .invalidMetricName : .invalidUTF8)
        }
        guard !NameRules.isReserved(name) else { return .dropped(.reservedMetricName) }
        guard name.byteCount <= limits.maxNameBytes else { return .dropped(.textTooLong) }
        var dependsOnOrder = fields.dependsOnOrder
        sources.removeAll(keepingCapacity: true)
        // The size limits come first, so that sorting and comparing below has bounded work.
        guard fields.labelCount <= min(limits.maxLabelsPerSeries, MetricFields.maxKeptLabels) else {
            return .dropped(.tooManyLabels)
        }
        for (index, label) in fields.labels.enumerated() {
            let labelName = message.extracting(label.name)
            guard labelName.isUTF8, message.extracting(label.value).isUTF8 else {
                return .dropped(.invalidUTF8)
            }
            if !insert(Int32(index), name: labelName, message, fields) { dependsOnOrder = true }
        }
        // A label with an empty value is no label, whatever its name.
        sources.removeAll { source in
            guard case .message(let index) = source else { return false }
            return fields.labels[Int(index)].value.isEmpty
        }
        if let cause = flawOfLabels(message, fields) { return .dropped(cause) }
        addEnrichment(message, fields)
        guard sources.count <= limits.maxLabelsPerSeries else { return .dropped(.tooManyLabels) }
        guard let text = write(message, fields) else { return .dropped(.textTooLong) }
        return .text(text, dependsOnOrder: dependsOnOrder)
    }

    private func flawOfLabels(_ message: RawSpan, _ fields: MetricFields) -> DropCause? {
        for source in sources {
            guard case .message(let index) = source else { continue }
            let name = message.extracting(fields.labels[Int(index)].name)
            guard NameRules.isLabelName(name) else { return .invalidLabelName }
            guard !ByteOrder.areEqual(name, NameRules.reservedLabelName) else { return .reservedLabelName }
            guard name.byteCount <= limits.maxNameBytes,
                fields.labels[Int(index)].value.count <= limits.maxLabelValueBytes
            else { return .textTooLong }
        }
        return nil
    }

    /// Puts a label of the message where it belongs. Of a map key that comes again the last counts.
    /// - Returns: false when the name was there already.
    private mutating func insert(
        _ label: Int32, name: RawSpan, _ message: RawSpan, _ fields: MetricFields
    ) -> Bool {
        var low = 0
        var high = sources.count
        while low < high {
            let middle = (low + high) / 2
            let comparison = compareName(of: sources[middle], with: name, message, fields)
            if comparison == 0 {
                sources[middle] = .message(label)
                return false
            }
            if comparison < 0 { low = middle + 1 } else { high = middle }
        }
        sources.insert(.message(label), at: low)
        return true
    }

    /// Both are sorted: each is gone through once.
    private mutating func addEnrichment(_ message: RawSpan, _ fields: MetricFields) {
        var place = 0
        for index in enrichment.labels.indices {
            let labelName = enrichment.labels[index].name
            var comparison = 1
            while place < sources.count {
                comparison = compareName(of: sources[place], with: labelName.span.bytes, message, fields)
                if comparison >= 0 { break }
                place += 1
            }
            if place == sources.count || comparison > 0 { sources.insert(.enrichment(Int32(index)), at: place) }
            place += 1
        }
    }

    private mutating func compareName(
        of source: Source, with name: RawSpan, _ message: RawSpan, _ fields: MetricFields
    ) -> Int {
        comparisonCount += 1
        switch source {
        case .message(let index):
            return ByteOrder.compare(message.extracting(fields.labels[Int(index)].name), name)
        case .enrichment(let index):
            let own = enrichment.labels[Int(index)].name
            return ByteOrder.compare(own.span.bytes, name)
        }
    }

    /// - Returns: nil when it is too long, which is seen before all of it is written.
    private mutating func write(_ message: RawSpan, _ fields: MetricFields) -> [UInt8]? {
        var text: [UInt8] = []
        text.reserveCapacity(256)
        text.append(copying: message.extracting(fields.name))
        if !sources.isEmpty {
            text.append(UInt8(ascii: "{"))
            for index in sources.indices {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                switch sources[index] {
                case .message(let place):
                    let label = fields.labels[Int(place)]
                    write(name: message.extracting(label.name), value: message.extracting(label.value), to: &text)
                case .enrichment(let place):
                    let labelName = enrichment.labels[Int(place)].name
                    let value = enrichment.labels[Int(place)].value
                    write(name: labelName.span.bytes, value: value.span.bytes, to: &text)
                }
                if text.count > limits.maxTextBytesPerSeries { return nil }
            }
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: " "))
        return text.count <= limits.maxTextBytesPerSeries ? text : nil
    }

    private mutating func write(name: RawSpan, value: RawSpan, to text: inout [UInt8]) {
        text.append(copying: name)
        text.append(UInt8(ascii: "="))
        text.append(UInt8(ascii: "\""))
        PrometheusText.appendEscapedLabelValue(value, to: &text)
        text.append(UInt8(ascii: "\""))
        if ByteOrder.areEqual(name, LabelNames.podName) { podNames.insert(value) }
        if ByteOrder.areEqual(name, LabelNames.nodeRole) { nodeRoles.insert(value) }
    }

}
