// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// The way to the ingest workers, as downloads need it.
protocol FetchLine: AnyObject {
    /// Asks for a profile.
    /// - Returns: the download's number, which chunks and ending will bear; nil when the worker takes no command.
    func start(_ command: FetchCommand, worker: Int) -> UInt64?
    /// So many bytes of the download have been taken since its beginning.
    func credit(number: UInt64, takenBytes: UInt64, worker: Int)
    /// Nobody wants the download any more.
    func drop(number: UInt64, worker: Int)
}

extension WorkerChannels: FetchLine {
    func start(_ command: FetchCommand, worker: Int) -> UInt64? {
        send(.fetchProfile, command.payload, to: worker)
    }

    func credit(number: UInt64, takenBytes: UInt64, worker: Int) {
        send(.fetchCredit, FetchCredit(takenBytes: takenBytes).payload, number: number, to: worker)
    }

    func drop(number: UInt64, worker: Int) {
        send(.fetchDrop, [], number: number, to: worker)
    }
}
