// SPDX-License-Identifier: Apache-2.0

/// Makes the canonical text of a series, `name{a="1",b="2"} `: labels sorted by name, values escaped, the
/// registration's labels added. It is made once for each series, when it is first seen.
struct SeriesTextMaker {
    /// What a text is made of: a label of the message (ranges of it) or one of the enrichment (its index).
    private enum Source {
        case message(MetricFields.Label)
        case enrichment(Int)
    }

    private static let reservedName = Array("__name__".utf8)

    let limits: SeriesLimits
    let enrichment: Enrichment
    /// What labels `pod_name` and `node_role` the made texts have.
    var podNames = DistinctValues()
    var nodeRoles = DistinctValues()
    private var sources: [Source] = []

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
            return .dropped(NameRules.isUTF8(name) ? .invalidMetricName : .invalidUTF8)
        }
        guard name.byteCount <= limits.maxNameBytes else { return .dropped(.textTooLong) }
        var dependsOnOrder = fields.dependsOnOrder
        sources.removeAll(keepingCapacity: true)
        // The size limits come first, so that sorting and comparing below has bounded work.
        guard fields.labelCount <= min(limits.maxLabelsPerSeries, MetricFields.maxKeptLabels) else {
            return .dropped(.tooManyLabels)
        }
        for (index, label) in fields.labels.enumerated() {
            let labelName = message.extracting(label.name)
            let value = message.extracting(label.value)
            guard NameRules.isUTF8(labelName), NameRules.isUTF8(value) else { return .dropped(.invalidUTF8) }
            // Of a map key that comes again the last counts.
            if fields.labels[(index + 1)...].contains(where: {
                ByteOrder.areEqual(labelName, message.extracting($0.name))
            }) {
                dependsOnOrder = true
                continue
            }
            // A label with an empty value is no label, whatever its name.
            if value.byteCount == 0 { continue }
            guard NameRules.isLabelName(labelName) else { return .dropped(.invalidLabelName) }
            guard !ByteOrder.areEqual(labelName, Self.reservedName) else { return .dropped(.reservedLabelName) }
            guard labelName.byteCount <= limits.maxNameBytes, value.byteCount <= limits.maxLabelValueBytes else {
                return .dropped(.textTooLong)
            }
            insert(.message(label), name: labelName, message)
        }
        addEnrichment(message)
        guard sources.count <= limits.maxLabelsPerSeries else { return .dropped(.tooManyLabels) }
        let text = write(message, name: name)
        guard text.count <= limits.maxTextBytesPerSeries else { return .dropped(.textTooLong) }
        return .text(text, dependsOnOrder: dependsOnOrder)
    }

    private mutating func addEnrichment(_ message: RawSpan) {
        for (index, label) in enrichment.labels.enumerated() {
            let labelName = label.name
            let name = labelName.span.bytes
            let isThere = sources.contains { source in
                guard case .message(let own) = source else { return false }
                return ByteOrder.areEqual(message.extracting(own.name), name)
            }
            if !isThere { insert(.enrichment(index), name: name, message) }
        }
    }

    private mutating func insert(_ source: Source, name: RawSpan, _ message: RawSpan) {
        var place = sources.count
        while place > 0, compareName(of: sources[place - 1], with: name, message) > 0 { place -= 1 }
        sources.insert(source, at: place)
    }

    private func compareName(of source: Source, with name: RawSpan, _ message: RawSpan) -> Int {
        switch source {
        case .message(let label):
            return ByteOrder.compare(message.extracting(label.name), name)
        case .enrichment(let index):
            let own = enrichment.labels[index].name
            return ByteOrder.compare(own.span.bytes, name)
        }
    }

    private mutating func write(_ message: RawSpan, name: RawSpan) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(256)
        text.append(copying: name)
        if !sources.isEmpty {
            text.append(UInt8(ascii: "{"))
            for index in sources.indices {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                switch sources[index] {
                case .message(let label):
                    write(name: message.extracting(label.name), value: message.extracting(label.value), to: &text)
                case .enrichment(let place):
                    let labelName = enrichment.labels[place].name
                    let value = enrichment.labels[place].value
                    write(name: labelName.span.bytes, value: value.span.bytes, to: &text)
                }
            }
            text.append(UInt8(ascii: "}"))
        }
        text.append(UInt8(ascii: " "))
        return text
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
