// SPDX-License-Identifier: Apache-2.0

/// The reason why bytes are not the message that they were read as. The bytes come out of shared memory, sockets and files,
/// so any bytes end in a message or in one of these errors.
public enum BinaryError: Error, Equatable, Sendable, CustomStringConvertible {
    case truncated(neededBytes: Int, remainingBytes: Int)
    case wrongVersion(found: UInt8, expected: UInt8)
    case limitExceeded(count: Int, limit: Int)
    case invalidUTF8
    /// A number that none of the values of this type has.
    case unknownValue(number: UInt64, type: String)
    /// A value that its type cannot have; the text says which and why.
    case invalidValue(String)
    case trailingBytes(Int)

    public var description: String {
        switch self {
        case .truncated(let needed, let remaining): "\(needed) bytes are needed and \(remaining) are left"
        case .wrongVersion(let found, let expected): "the version is \(found) instead of \(expected)"
        case .limitExceeded(let count, let limit): "the count is \(count) and may be \(limit) at most"
        case .invalidUTF8: "a text is not UTF-8"
        case .unknownValue(let number, let type): "\(number) is no \(type)"
        case .invalidValue(let reason): reason
        case .trailingBytes(let count): "\(count) bytes are left over at the end"
        }
    }
}
