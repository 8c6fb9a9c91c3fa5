// SPDX-License-Identifier: Apache-2.0
import Platform

/// Why a ring does not do what it was asked.
public enum RingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The reader has not read yet what would be overwritten: try again when it has.
    case full
    /// No ring of the maximum size takes a payload of that size. The limit is a payload's.
    case tooLarge(limitBytes: Int)
    /// The current records, with this one, would not leave the ring room to work in. Forget something, or drop the record.
    /// The limit is that of ``RingWriter/currentBytes``.
    case tooMuchCurrent(limitBytes: Int)
    /// The ring cannot grow, and without that the record does not fit; or there is no room, or no descriptor, to open the
    /// ring with. The value is that of `errno`.
    case noMemory(errno: Int32)
    /// It is not a ring, is of another version, or is damaged.
    case unusable(String)
    /// Nobody has formatted the ring yet.
    case notYet

    public var description: String {
        switch self {
        case .full: "the ring is full: its reader is behind"
        case .tooLarge(let limitBytes): "the record is larger than the ring's limit (\(limitBytes) bytes)"
        case .tooMuchCurrent(let limitBytes): "the ring holds too many current records (limit \(limitBytes) bytes)"
        case .noMemory(let code): SystemError(call: "room for the ring", code: code).description
        case .unusable(let reason): "the ring is not usable: \(reason)"
        case .notYet: "the ring has not been formatted yet"
        }
    }
}
