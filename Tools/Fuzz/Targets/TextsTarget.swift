// SPDX-License-Identifier: Apache-2.0
import Calendar
import Credentials
import Platform
import Settings

@testable import GRPCServer
@testable import SupervisorCore

// Small texts that people and peers write: durations, sizes, addresses, times, names. An input is the kind of text, and
// the text. A value that was read, and is written again, is read as the same value.

extension FuzzTarget {
    static let texts = FuzzTarget("texts", limitBytes: 256, seeds: Texts.seeds) { bytes in
        var input = FuzzInput(bytes)
        let kind = input.below(Texts.kinds.count)
        try Texts.kinds[kind](String(decoding: input.rest(), as: UTF8.self))
    }
}

private enum Texts {
    static let kinds: [@Sendable (String) throws -> Void] = [
        duration, byteSize, listenAddress, time, grpcTimeout, workerName, address, statusMessage, sanitizedText,
        credentials, addressRanges, passwordHash,
    ]

    private static func duration(_ text: String) throws {
        guard let duration = Duration(goSyntax: text) else { return }
        let again = Duration(goSyntax: duration.goSyntax)
        try hold(again == duration, "\(text) is \(duration), and \(duration.goSyntax) is \(String(describing: again))")
    }

    private static func byteSize(_ text: String) throws {
        guard let bytes = ByteSize.parse(text) else { return }
        try hold(bytes >= 0, "\(text) is \(bytes)")
        try hold(
            ByteSize.parse(ByteSize.format(bytes)) == bytes, "\(text) is \(bytes), written \(ByteSize.format(bytes))")
    }

    private static func listenAddress(_ text: String) throws {
        guard let address = ListenAddress(text) else { return }
        try hold(ListenAddress(address.description) == address, "\(text) is \(address)")
    }

    private static func time(_ text: String) throws {
        guard let time = RFC3339.parse(text) else { return }
        let written = RFC3339.text(time, fraction: .needed)
        // A zone may carry it beyond the years that can be written.
        guard (0...253_402_300_799).contains(time.seconds) else { return }
        try hold(RFC3339.parse(written) == time, "\(text) is \(time), written \(written)")
    }

    private static func grpcTimeout(_ text: String) throws {
        guard let nanoseconds = GRPCTimeout.nanoseconds(text) else { return }
        try hold(nanoseconds >= 0, "\(text) is \(nanoseconds)")
    }

    private static func workerName(_ text: String) throws {
        guard let worker = WorkerName(text) else { return }
        try hold(worker.description == text, "\(text) is \(worker)")
    }

    /// A source is the same however its address is written in front of a port.
    private static func address(_ text: String) throws {
        _ = NetworkSource(host: text)
        _ = AddressText.text(host: text, port: 1)
    }

    private static func statusMessage(_ text: String) throws {
        let encoded = StatusMessage.encode(text)
        let isPlain = encoded.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        try hold(isPlain && encoded.utf8.count <= StatusMessage.maxBytes, "a grpc-message of \(encoded)")
    }

    private static func sanitizedText(_ text: String) throws {
        let shown = SanitizedText.quoted(text)
        try hold(
            !shown.unicodeScalars.contains { $0.properties.generalCategory == .control }, "\(shown) does more than show"
        )
        for limit in [8, 100] {
            let cut = SanitizedText.cut(text, toBytes: limit)
            try hold(cut.utf8.count <= max(limit, 3), "cut to \(limit) bytes it has \(cut.utf8.count)")
        }
    }

    private static func credentials(_ text: String) throws {
        switch RequestCredentials(text) {
        case .malformed: break
        case .token(let token):
            try hold(text.hasSuffix(token) || text.hasSuffix(" "), "\(text) has the token \(token)")
            try hold(!token.isEmpty && token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "a token \(token)")
        case .password(let user, _): try hold(!user.contains(":"), "a user \(user)")
        }
    }

    private static func addressRanges(_ text: String) throws {
        guard let ranges = AddressRanges(text) else { return }
        try hold(AddressRanges(ranges.description) == ranges, "\(text) is \(ranges)")
        let first = text.prefix { $0 != "/" && $0 != "," }.filter { $0 != " " }
        try hold(ranges.contains(host: String(first)), "\(text) does not have \(first)")
    }

    private static func passwordHash(_ text: String) throws {
        guard let hash = try? PasswordHash(text) else { return }
        let digits = hash.cost < 10 ? "0\(hash.cost)" : "\(hash.cost)"
        try hold(hash.text.dropFirst(4).hasPrefix("\(digits)$"), "\(text) has the cost \(hash.cost)")
    }

    static let seeds: [[UInt8]] = [
        (0, "1h30m0.5s"), (0, "-2562047h47m16.854775808s"), (0, "1.5µs"), (1, "32MiB"), (1, "1GB"), (2, ":17912"),
        (2, "[::1]:17913"), (2, "host:0"), (3, "2026-01-02T03:04:05.123456789+01:00"), (3, "0000-02-29T23:59:59Z"),
        (4, "99999999H"), (4, "1n"), (5, "ingest-63"), (5, "exporter"), (6, "::ffff:10.0.0.1"), (6, "10.0.0.1"),
        (7, "no 100% ü\n"), (8, "a\u{1}\u{2028}b"),
        (9, "Basic dXNlcjpwYXNz"), (9, "bearer fodc_0123"), (10, "10.0.0.0/8, ::ffff:1.2.3.4/128,fd00::/8"),
        (11, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ].map { [UInt8($0.0)] + Array($0.1.utf8) }
}
