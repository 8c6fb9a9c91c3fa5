// SPDX-License-Identifier: Apache-2.0

/// A message between processes of the service, or to a later process of it.
///
/// Its bytes are one byte for the version, then the fields in the order in which the type writes them: integers
/// little-endian, texts and lists with a `UInt32` count in front.
public protocol BinaryMessage {
    /// The version of the fields, raised whenever their order, types or meanings change.
    static var version: UInt8 { get }

    func encode(into writer: inout BinaryWriter)

    /// Reads the fields in the order in which ``encode(into:)`` writes them.
    init(from reader: inout BinaryReader) throws(BinaryError)
}

extension BinaryMessage {
    public var encoded: [UInt8] {
        var writer = BinaryWriter()
        writer.append(Self.version)
        encode(into: &writer)
        return writer.bytes
    }

    /// Takes bytes that are one whole message, without anything behind it.
    public init(encoded bytes: RawSpan) throws(BinaryError) {
        var reader = BinaryReader(bytes)
        let version = try reader.integer(UInt8.self)
        guard version == Self.version else { throw .wrongVersion(found: version, expected: Self.version) }
        let message = try Self(from: &reader)
        try reader.expectEnd()
        self = message
    }
}
