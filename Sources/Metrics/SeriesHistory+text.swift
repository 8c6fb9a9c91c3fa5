// SPDX-License-Identifier: Apache-2.0
import Calendar
import JSONWriting
import Platform

extension SeriesHistory {
    /// Pieces of text are handed over when they have so many bytes.
    private static let pieceBytes = 256 << 10

    /// The bytes that begin a text of this format.
    public static func start(_ format: Format) -> [UInt8] {
        format == .json ? Array("[".utf8) : []
    }

    /// The bytes that end a text of this format.
    public static func end(_ format: Format) -> [UInt8] {
        switch format {
        case .openMetrics: Array("# EOF\n".utf8)
        case .prometheus: []
        case .json: Array("]\n".utf8)
        }
    }

    /// Writes what has been collected of a part, in pieces. Series without points are left out.
    ///
    /// - Parameters:
    ///   - source: for the elements of JSON.
    ///   - isFirst: no series has been written before; false when one has been.
    ///   - output: is called with each piece; `false`: nobody wants more.
    /// - Returns: whether more is wanted.
    public mutating func write(
        _ format: Format, source: Source = Source(), isFirst: inout Bool, to output: ([UInt8]) -> Bool
    ) -> Bool {
        putInOrder()
        var text: [UInt8] = []
        text.reserveCapacity(Self.pieceBytes + (64 << 10))
        for family in families {
            var isBegun = false
            for place in family.range where !series[place].points.isEmpty {
                if !isBegun, format == .openMetrics { Self.appendType(of: family, to: &text) }
                isBegun = true
                if format == .json {
                    text += isFirst ? [] : Array(",\n".utf8)
                    Self.appendHead(of: series[place], family, source, to: &text)
                }
                isFirst = false
                guard writePoints(of: place, format, &text, output) else { return false }
                if format == .json { text += Array("]}".utf8) }
            }
        }
        return text.isEmpty || output(text)
    }

    /// The agent that the elements of JSON name.
    public struct Source: Sendable {
        var agentID: String
        var podName: String

        public init(agentID: String = "", podName: String = "") {
            (self.agentID, self.podName) = (agentID, podName)
        }
    }

    private func writePoints(
        of place: Int, _ format: Format, _ text: inout [UInt8], _ output: ([UInt8]) -> Bool
    ) -> Bool {
        let powers = PowersOfTen.shared.entries
        for (number, point) in series[place].points.enumerated() {
            if text.count >= Self.pieceBytes {
                guard output(text) else { return false }
                text.removeAll(keepingCapacity: true)
            }
            guard format != .json else {
                if number > 0 { text.append(UInt8(ascii: ",")) }
                Self.appendElement(point, powers, to: &text)
                continue
            }
            text += series[place].text
            text.append(atMost: ValueWriter.reserveBytes) {
                ValueWriter.append(bits: point.bits, to: &$0, powers: powers.span)
            }
            text.append(UInt8(ascii: " "))
            Self.append(point.time, format, to: &text)
            text.append(UInt8(ascii: "\n"))
        }
        return true
    }

    private static func appendType(of family: Family, to text: inout [UInt8]) {
        text += Array("# TYPE ".utf8)
        text += family.name
        text += Array((family.isGauge ? " gauge\n" : " unknown\n").utf8)
    }

    /// OpenMetrics has seconds with a fraction, Prometheus' own format whole milliseconds.
    private static func append(_ time: SampleTime, _ format: Format, to text: inout [UInt8]) {
        guard format == .openMetrics else {
            // Rounded down, also before 1970, and for times that no clock shows.
            let milliseconds = time / 1000 - (time % 1000 < 0 ? 1 : 0)
            text.append(contentsOf: String(milliseconds).utf8)
            return
        }
        let magnitude = time.magnitude
        if time < 0 { text.append(UInt8(ascii: "-")) }
        text.append(contentsOf: String(magnitude / 1_000_000).utf8)
        let rest = magnitude % 1_000_000
        guard rest > 0 else { return }
        let digits = String(rest)
        text.append(UInt8(ascii: "."))
        text.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 6 - digits.utf8.count))
        text.append(contentsOf: digits.utf8)
    }

    // MARK: JSON

    /// Everything of an element up to its points.
    private static func appendHead(of series: Series, _ family: Family, _ source: Source, to text: inout [UInt8]) {
        var json = JSONWriter(text)
        text = []
        json.raw(Array("{\"name\":".utf8))
        json.string(bytes: family.name.span.bytes)
        json.raw(Array(",\"description\":".utf8))
        json.string(bytes: family.description.span.bytes)
        json.raw(Array(",\"labels\":{".utf8))
        var labels = SeriesLabels(series.text.span.bytes, nameBytes: family.name.count)
        var podName: [UInt8] = []
        var separator = ""
        while let label = labels.next(series.text.span.bytes) {
            let name = [UInt8](series.text[label.name])
            let value = SeriesLabels.unescaped(series.text.span.bytes, label.value)
            if name == LabelNames.podName { podName = value }
            json.raw(Array(separator.utf8))
            separator = ","
            json.string(bytes: name.span.bytes)
            json.raw(Array(":".utf8))
            json.string(bytes: value.span.bytes)
        }
        json.raw(Array("},\"agent_id\":".utf8))
        json.string(source.agentID)
        json.raw(Array(",\"pod_name\":".utf8))
        if podName.isEmpty { json.string(source.podName) } else { json.string(bytes: podName.span.bytes) }
        json.raw(Array(",\"data\":[".utf8))
        text = json.bytes
    }

    private static func appendElement(_ point: Point, _ powers: [PowersOfTen.Entry], to text: inout [UInt8]) {
        text.append(contentsOf: "{\"timestamp\":".utf8)
        JSONText.append(epochTime(point.time), fraction: .needed, to: &text)
        text.append(contentsOf: ",\"value\":".utf8)
        let value = Double(bitPattern: point.bits)
        // JSON has no number for it.
        if !value.isFinite { text.append(UInt8(ascii: "\"")) }
        text.append(atMost: ValueWriter.reserveBytes) {
            ValueWriter.append(bits: point.bits, to: &$0, powers: powers.span)
        }
        if !value.isFinite { text.append(UInt8(ascii: "\"")) }
        if value.isNaN, point.bits != SampleBits.ordinaryNaN {
            text.append(contentsOf: ",\"bits\":\"\(String(point.bits, radix: 16))\"".utf8)
        }
        text.append(UInt8(ascii: "}"))
    }

    private static func epochTime(_ time: SampleTime) -> EpochTime {
        let seconds = time.secondsSinceEpoch
        let rest = time.subtractingReportingOverflow(seconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
        let clamped = RFC3339.clamped(secondsSinceEpoch: seconds)
        return EpochTime(
            seconds: clamped, nanoseconds: clamped == seconds ? Int32(truncatingIfNeeded: rest.partialValue &* 1000) : 0
        )
    }
}
