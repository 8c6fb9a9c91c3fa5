// SPDX-License-Identifier: Apache-2.0
/// `grpc-message` as it goes over the wire: what is not printable ASCII, and the percent sign, percent-encoded.
enum StatusMessage {
    /// Longer messages are cut: trailers must fit into what clients take (8 KiB and less).
    static let maxBytes = 1024

    static func encode(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            var piece: [UInt8] = []
            for byte in String(scalar).utf8 {
                if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                    piece.append(byte)
                } else {
                    piece += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
                }
            }
            // Whole characters only, so that what is left decodes.
            if bytes.count + piece.count > maxBytes { break }
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
