// SPDX-License-Identifier: Apache-2.0

/// How much a ring takes, so that it never stands still: a full ring must always be able to compact.
///
/// Carrying a record of `m` bytes needs `m` free bytes at the head before it frees `m` at the tail. So after each append at
/// least as much is free as the largest current record takes. Then the tail can always go on, up to the reader; and when
/// it has gone round once, all that is left in the ring is what is current. An append is therefore possible, once the
/// reader has read, exactly when current records, the new one and that reserve fit together. A current record is refused
/// before it takes the room that replacing it, and all that is not current, will need.
struct RoomPolicy {
    /// With header and padding.
    var recordBytes: Int
    var isCurrent: Bool
    var type: RecordType
    /// The bytes of current records now, and the record among them that this one replaces (0: none).
    var currentBytes: Int
    var replacedBytes: Int
    /// At least the size of the largest current record.
    var largestCurrentBound: Int

    /// So much of a ring stays free of what is current: the share that all other records have to go round in.
    static let workingShare = 8
    /// Kept for identities: without one an agent cannot even be refused its series.
    static let identityReserveBytes = 1 << 20
    /// In rings so small that the above would be a large part of them.
    static let identityReserveShare = 16
    /// The ring doubles when what is current takes more than one part in three…
    static let comfortableCurrentShare = 3
    /// …or one record more than one in two.
    static let comfortableRecordShare = 2

    private var reserveBytes: Int {
        isCurrent ? max(largestCurrentBound, SizeClasses.bound(SizeClasses.index(recordBytes))) : largestCurrentBound
    }

    /// Bytes that must be free before the record is written.
    var freeBytesNeeded: Int { recordBytes + reserveBytes }

    private var currentBytesAfter: Int { isCurrent ? currentBytes - replacedBytes + recordBytes : currentBytes }

    /// The largest record that an otherwise empty ring takes.
    static func largestRecordBytes(capacityBytes: Int) -> Int {
        let room = capacityBytes - keptFreeBytes(capacityBytes: capacityBytes, forIdentity: false)
        // The record, and its reserve, which is at most an eighth larger (``SizeClasses``): 17 eighths of it.
        return room / 17 * 8 / RingLayout.recordAlignmentBytes * RingLayout.recordAlignmentBytes
    }

    private static func keptFreeBytes(capacityBytes: Int, forIdentity isIdentity: Bool) -> Int {
        let working = capacityBytes / workingShare
        return isIdentity ? working : working + min(identityReserveBytes, capacityBytes / identityReserveShare)
    }

    /// How much may be current in a ring of this capacity with this record in it.
    func currentLimitBytes(capacityBytes: Int) -> Int {
        capacityBytes - Self.keptFreeBytes(capacityBytes: capacityBytes, forIdentity: type == .identity) - reserveBytes
    }

    /// Whether the record can be written once the reader has read everything.
    func isPossible(capacityBytes: Int) -> Bool {
        // Until the new record is published the one that it replaces is still current.
        guard currentBytes + freeBytesNeeded <= capacityBytes else { return false }
        return !isCurrent || currentBytesAfter <= currentLimitBytes(capacityBytes: capacityBytes)
    }

    func isComfortable(capacityBytes: Int) -> Bool {
        isPossible(capacityBytes: capacityBytes)
            && currentBytesAfter <= capacityBytes / Self.comfortableCurrentShare
            && recordBytes <= capacityBytes / Self.comfortableRecordShare
    }

    /// The capacity that the ring should have for this record: doubled until it is comfortable, or the maximum.
    func wantedCapacity(presentBytes: Int, maximumBytes: Int) -> Int {
        var capacity = presentBytes
        while capacity < maximumBytes, !isComfortable(capacityBytes: capacity) {
            capacity = min(2 * capacity, maximumBytes)
        }
        return capacity
    }
}
