// SPDX-License-Identifier: Apache-2.0

/// Data of the black box that a report with status 200 lacks. The answer's head says so, and it is counted.
struct StoredLack: Sendable {
    /// Parts of the database that are damaged and left out.
    var damagedParts = 0
    /// The database could not be read: nothing of it is in the report.
    var isUnread = false

    static let damagedHeader = "X-Fodc-Parts-Damaged"
    static let unreadHeader = "X-Fodc-Black-Box-Left-Out"
    /// Metric label values.
    static let damagedCause = "damaged"
    static let unreadCause = BlackBoxRefusal.Cause.unreadable.rawValue

    /// Absent when nothing is lacking.
    var headers: [(String, String)] {
        (damagedParts > 0 ? [(Self.damagedHeader, "\(damagedParts)")] : [])
            + (isUnread ? [(Self.unreadHeader, Self.unreadCause)] : [])
    }

    func count(_ path: String, in partial: PartialAnswers) {
        if damagedParts > 0 { partial.add(path, Self.damagedCause, .leftOut) }
        if isUnread { partial.add(path, Self.unreadCause, .leftOut) }
    }
}
