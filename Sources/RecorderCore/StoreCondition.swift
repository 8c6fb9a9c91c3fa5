// SPDX-License-Identifier: Apache-2.0
import Database

/// Decides how to handle a black box that cannot be written, and when to retry. Pure.
struct StoreCondition: Equatable {
    /// The trouble at present; `nil`: it is written.
    private(set) var trouble: DatabaseError?
    private(set) var retryAtNanoseconds: UInt64 = 0
    private var failuresInRow = 0

    enum Action: Equatable {
        /// Close it, and try again at ``retryAtNanoseconds``.
        case wait
        /// Put the file out of the way and begin a new one.
        case setAside
    }

    /// A failed disk is asked again after a second at first, later twice a minute.
    static let firstRetryNanoseconds: UInt64 = 1_000_000_000
    static let longestRetryNanoseconds: UInt64 = 30_000_000_000

    mutating func succeeded() { self = StoreCondition() }

    /// - Parameter now: `CLOCK_MONOTONIC`.
    mutating func failed(_ error: DatabaseError, now: UInt64) -> Action {
        // A file that is damaged again at once would be set aside without end: then the disk is what is damaged.
        let isFirst = failuresInRow == 0
        trouble = error
        let shift = UInt64(min(failuresInRow, 5))
        retryAtNanoseconds = now + min(Self.firstRetryNanoseconds << shift, Self.longestRetryNanoseconds)
        failuresInRow += 1
        switch error.cause {
        case .corrupt, .foreign: return isFirst ? .setAside : .wait
        case .full, .readOnly, .newerSchema, .locked, .cannotOpen, .inputOutput, .other: return .wait
        }
    }

    /// The remedy for a cause, as instructions for the operator.
    static func remedy(_ cause: DatabaseError.Cause) -> String {
        switch cause {
        case .full: "make room on the file system, or set a smaller --black-box-max-size"
        case .readOnly: "make the folder writable for the user of fodc-recorder (ps -o user,cmd)"
        case .newerSchema: "install the newer release again, or move the file away"
        case .locked: "give each service a --black-box-dir of its own"
        case .cannotOpen:
            "see that --black-box-dir exists and that the user of fodc-recorder (ps -o user,cmd) may write to it"
        case .corrupt, .foreign: "a new file is begun; the old one is kept beside it"
        case .inputOutput, .other: "look at the disk (dmesg)"
        }
    }
}
