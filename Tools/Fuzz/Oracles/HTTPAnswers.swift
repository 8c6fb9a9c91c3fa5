// SPDX-License-Identifier: Apache-2.0

/// Answers as a strict client of HTTP/1.1 reads them off a connection (RFC 9112).
struct HTTPAnswers {
    private let bytes: [UInt8]
    private var place = 0

    /// The status codes that the server sends; it sends no other.
    private static let statuses: Set<Int> = [100, 200, 404, 400, 405, 408, 411, 413, 414, 417, 431, 501, 503, 505]
    private static let `continue` = 100
    /// By whoever handles requests; with all others the server refuses one that nobody has handled.
    private static let handled: Set<Int> = [200, 404]

    /// Throws for bytes that are not whole answers.
    ///
    /// - Parameter areHeads: whether the requests that were handled are HEAD, whose answers have no body.
    static func check(_ bytes: [UInt8], areHeads: [Bool]) throws(Finding) {
        var answers = HTTPAnswers(bytes: bytes)
        var number = 0
        while answers.place < bytes.count {
            let head = try answers.head()
            if head.status == Self.continue { continue }
            if handled.contains(head.status) {
                try hold(number < areHeads.count, "an answer that nobody has asked for: \(head.status)")
                if !areHeads[number] { try answers.body(head) }
                number += 1
            } else if !answers.isAtAnswerOrEnd {
                // The refused request was no HEAD.
                try answers.body(head)
            }
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var isAtAnswerOrEnd: Bool { place == bytes.count || bytes[place...].starts(with: "HTTP/1.1 ".utf8) }

    private struct Head {
        var status: Int
        var byteCount: Int?
        var isChunked = false
    }

    private mutating func line() throws(Finding) -> String {
        let start = place
        while place < bytes.count, bytes[place] != 0x0a { place += 1 }
        try hold(place < bytes.count && place > start && bytes[place - 1] == 0x0d, "an answer's line without an end")
        defer { place += 1 }
        let line = bytes[start..<place - 1]
        try hold(line.allSatisfy { $0 >= 0x20 || $0 == 0x09 }, "a control character in an answer's head: \(line)")
        return String(decoding: line, as: UTF8.self)
    }

    private mutating func head() throws(Finding) -> Head {
        let start = try line()
        guard start.hasPrefix("HTTP/1.1 "), let status = Int(start.dropFirst(9).prefix(3)) else {
            throw Finding("what is no answer: \(start)")
        }
        try hold(Self.statuses.contains(status), "a status that the server has not: \(start)")
        var head = Head(status: status)
        while true {
            let field = try line()
            if field.isEmpty { return head }
            let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            try hold(parts.count == 2 && !parts[0].isEmpty && !parts[0].contains(" "), "no header field: \(field)")
            let value = String(parts[1]).trimmed
            switch parts[0].lowercased() {
            case "content-length": head.byteCount = Int(value)
            case "transfer-encoding": head.isChunked = value == "chunked"
            default: break
            }
        }
    }

    private mutating func body(_ head: Head) throws(Finding) {
        if head.isChunked {
            while true {
                let size = try line()
                guard let count = Int(size, radix: 16), count >= 0, count <= bytes.count - place else {
                    throw Finding("a chunk without a length: \(size)")
                }
                place += count
                try hold(try line().isEmpty, "a chunk without an end")
                if count == 0 { return }
            }
        }
        guard let count = head.byteCount else { throw Finding("an answer of \(head.status) without a length") }
        try hold(count <= bytes.count - place, "an answer of \(count) bytes has \(bytes.count - place)")
        place += count
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
