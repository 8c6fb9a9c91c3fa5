// SPDX-License-Identifier: Apache-2.0

/// Whether a text out of a ring is one that `SeriesTextMaker` could have made: `name{a="1",b="2"} `, labels in the order of
/// their names and none twice, `pod_name` and `node_role` among them. Anything else in it would be lines of a scrape that no
/// agent has sent, or lines of two agents that nobody can tell apart.
///
/// Texts in a row share most of their labels, and nearly all of the labels' names. Labels that the last text has in the same
/// place are not read again, and names that are the same are not checked again: an exporter that begins checks the tables of
/// all agents before it serves.
struct SeriesTextCheck {
    /// A label of the last text.
    private struct Label: BitwiseCopyable {
        var start: Int
        var nameBytes: Int
        /// Behind the comma, or the closing brace.
        var end: Int
        var subject: Subject
        /// Of a bound: the value is not a number that Go's `strconv.ParseFloat` takes.
        var isOdd: Bool

        var name: Range<Int> { start..<(start &+ nameBytes) }
    }

    private enum Subject: UInt8 {
        case podName = 1
        case nodeRole = 2
        case bucket = 4
        case quantile = 8
        case other = 16
    }

    /// The labels that the table says its series have.
    let podNames: DistinctValues
    let nodeRoles: DistinctValues
    /// The last text, from the brace behind the metric's name on, and its labels.
    private var last: [UInt8] = []
    private var labels: [Label] = []
    /// Those of the labels of the text in hand that are not the last text's: they take the place of some of these.
    private var fresh: [Label] = []
    /// The last text's label `le`, or `quantile`, is not a number.
    private(set) var hasOddBucket = false
    private(set) var hasOddQuantile = false

    private static let bucketLabel = Array("le".utf8)
    private static let quantileLabel = Array("quantile".utf8)

    init(podNames: DistinctValues, nodeRoles: DistinctValues) {
        self.podNames = podNames
        self.nodeRoles = nodeRoles
    }

    /// After a text that is refused the check is not to be used any more.
    ///
    /// - Parameters:
    ///   - text: from the brace behind the metric's name on.
    ///   - isFirst: of its metric. All others are behind the last text in the order of their bytes.
    mutating func accepts(_ text: RawSpan, isFirst: Bool) -> Bool {
        let end = text.byteCount - 1
        guard end > 0, text.byte(uncheckedAt: 0) == UInt8(ascii: "{"), text.byte(uncheckedAt: end) == UInt8(ascii: " "),
            let shared = compare(text, isFirst: isFirst)
        else { return false }
        let kept = labelCount(before: shared.start)
        let start = kept == 0 ? 1 : labels[kept - 1].end
        guard let (read, next) = readLabels(text, from: start, kept: kept, end: end, sharedEnd: shared.end),
            text.extracting(start..<read).isUTF8
        else { return false }
        replaceLabels(kept..<next, movingRestBy: text.byteCount - last.count)
        guard labels[labels.count - 1].end == end else { return false }
        last.removeAll(keepingCapacity: true)
        last.append(copying: text)
        return noteSubjects()
    }

    /// How many bytes the text has in common with the last one at both ends; nil when it is not behind it.
    private func compare(_ text: RawSpan, isFirst: Bool) -> (start: Int, end: Int)? {
        let before = last.span.bytes
        let start = ByteOrder.commonPrefix(text, before)
        if !isFirst {
            guard start < text.byteCount,
                start == before.byteCount || before.byte(uncheckedAt: start) < text.byte(uncheckedAt: start)
            else { return nil }
        }
        return (start, ByteOrder.commonSuffix(text, before, limit: min(text.byteCount, before.byteCount) - start))
    }

    /// How many labels of the last text end, with their comma, among its first `bytes` bytes.
    private func labelCount(before bytes: Int) -> Int {
        var count = 0
        while count < labels.count - 1, labels[count].end <= bytes { count += 1 }
        return count
    }

    /// Reads labels into ``fresh`` up to where the text goes on as the last one.
    ///
    /// - Parameter kept: labels of the last text that stand before `start`.
    /// - Returns: where that is, and the label of the last text that begins there; nil when a label is not as it should be.
    private mutating func readLabels(
        _ text: RawSpan, from start: Int, kept: Int, end: Int, sharedEnd: Int
    ) -> (place: Int, next: Int)? {
        let moved = text.byteCount - last.count
        var place = start
        var next = kept
        // Names are those of the last text, which are in order.
        var areNamesSame = true
        fresh.removeAll(keepingCapacity: true)
        while true {
            while next < labels.count, labels[next].start + moved < place { next += 1 }
            if next < labels.count, labels[next].start + moved == place, text.byteCount - place <= sharedEnd {
                let isSame = areNamesSame && next == kept + fresh.count
                let name = place..<(place + labels[next].nameBytes)
                return isSame || isInOrder(text.extracting(name), text, kept) ? (place, next) : nil
            }
            let label: Label
            if let same = labelOfSameName(text, at: place, kept + fresh.count, end: end) {
                label = same
            } else if let other = labelOfOtherName(text, at: place, end: end) {
                label = other
                areNamesSame = false
            } else {
                return nil
            }
            guard areNamesSame || isInOrder(text.extracting(label.name), text, kept) else { return nil }
            fresh.append(label)
            place = label.end
            if text.byte(uncheckedAt: place - 1) == UInt8(ascii: "}") { return (place, labels.count) }
        }
    }

    /// Puts what was read in the place of some labels of the last text. Those behind them are elsewhere now.
    private mutating func replaceLabels(_ replaced: Range<Int>, movingRestBy moved: Int) {
        if fresh.count == replaced.count {
            for index in fresh.indices { labels[replaced.lowerBound + index] = fresh[index] }
        } else {
            labels.replaceSubrange(replaced, with: fresh)
        }
        guard moved != 0 else { return }
        for index in (replaced.lowerBound + fresh.count)..<labels.count {
            labels[index].start += moved
            labels[index].end += moved
        }
    }

    /// Whether the name may stand behind the last label that was read, or of those that are kept.
    private func isInOrder(_ name: RawSpan, _ text: RawSpan, _ kept: Int) -> Bool {
        guard let before = fresh.last ?? (kept > 0 ? labels[kept - 1] : nil) else { return true }
        return ByteOrder.compare(text.extracting(before.name), name) < 0
    }

    /// The label at `place` with the comma or brace behind it, if it has the name of the last text's label `index`.
    private func labelOfSameName(_ text: RawSpan, at place: Int, _ index: Int, end: Int) -> Label? {
        guard index < labels.count else { return nil }
        let known = labels[index]
        guard known.nameBytes < end - place, text.byte(uncheckedAt: place + known.nameBytes) == UInt8(ascii: "="),
            ByteOrder.areEqual(
                text.extracting(place..<(place + known.nameBytes)), last.span.bytes.extracting(known.name))
        else { return nil }
        return label(text, at: place, nameBytes: known.nameBytes, known.subject, end: end)
    }

    /// The same with another name; nil as well when it is not a name that a label may have.
    private func labelOfOtherName(_ text: RawSpan, at start: Int, end: Int) -> Label? {
        var place = start
        while place < end, text.byte(uncheckedAt: place) != UInt8(ascii: "=") { place += 1 }
        let name = text.extracting(start..<place)
        guard place < end, NameRules.isLabelName(name), !ByteOrder.areEqual(name, NameRules.reservedLabelName)
        else { return nil }
        return label(text, at: start, nameBytes: place - start, Self.subject(name), end: end)
    }

    private static func subject(_ name: RawSpan) -> Subject {
        if ByteOrder.areEqual(name, LabelNames.podName) { return .podName }
        if ByteOrder.areEqual(name, LabelNames.nodeRole) { return .nodeRole }
        if ByteOrder.areEqual(name, bucketLabel) { return .bucket }
        return ByteOrder.areEqual(name, quantileLabel) ? .quantile : .other
    }

    /// The label whose name, which has been checked, is at `start`; nil when the value is not as it should be, or not one that
    /// the table lists.
    private func label(_ text: RawSpan, at start: Int, nameBytes: Int, _ subject: Subject, end: Int) -> Label? {
        let quote = start + nameBytes + 1
        guard quote < end, text.byte(uncheckedAt: quote) == UInt8(ascii: "\""),
            let valueEnd = Self.valueEnd(text, from: quote + 1, end: end), valueEnd + 1 < end
        else { return nil }
        let separator = text.byte(uncheckedAt: valueEnd + 1)
        guard separator == UInt8(ascii: ",") || separator == UInt8(ascii: "}") else { return nil }
        let value = (quote + 1)..<valueEnd
        var isOdd = false
        switch subject {
        case .podName: guard Self.lists(podNames, text, value) else { return nil }
        case .nodeRole: guard Self.lists(nodeRoles, text, value) else { return nil }
        case .bucket, .quantile: isOdd = !BoundText.isNumber(text.extracting(value))
        case .other: break
        }
        return Label(start: start, nameBytes: nameBytes, end: valueEnd + 2, subject: subject, isOdd: isOdd)
    }

    /// False when the text lacks a label by which agents are told apart.
    private mutating func noteSubjects() -> Bool {
        var found: UInt8 = 0
        var odd: UInt8 = 0
        for label in labels {
            found |= label.subject.rawValue
            if label.isOdd { odd |= label.subject.rawValue }
        }
        hasOddBucket = odd & Subject.bucket.rawValue != 0
        hasOddQuantile = odd & Subject.quantile.rawValue != 0
        let wanted = Subject.podName.rawValue | Subject.nodeRole.rawValue
        return found & wanted == wanted
    }

    /// Where the quote behind a value stands; nil when the text ends before it, or a character lacks its escape.
    private static func valueEnd(_ text: RawSpan, from start: Int, end: Int) -> Int? {
        var place = start
        while place < end {
            switch text.byte(uncheckedAt: place) {
            case UInt8(ascii: "\""): return place
            case UInt8(ascii: "\n"): return nil
            case UInt8(ascii: "\\"):
                guard place + 1 < end else { return nil }
                let escaped = text.byte(uncheckedAt: place + 1)
                guard escaped == UInt8(ascii: "\\") || escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "n")
                else { return nil }
                place += 2
            default: place += 1
            }
        }
        return nil
    }

    private static func lists(_ values: DistinctValues, _ text: RawSpan, _ value: Range<Int>) -> Bool {
        if values.isAny || values.contains(text.extracting(value)) { return true }
        return SeriesLabels.isEscaped(text, value)
            && values.contains(SeriesLabels.unescaped(text, value).span.bytes)
    }
}
