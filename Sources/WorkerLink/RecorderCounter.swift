// SPDX-License-Identifier: Apache-2.0

/// The counters that a recorder publishes in the header of its own ring. They mean nothing in a ring whose writer has
/// another generation.
public enum RecorderCounter: Int, CaseIterable, Sendable {
    /// ``RecorderTrouble``'s number while nothing is recorded, else 0.
    case trouble = 0
    case samplesRecorded
    /// Records that the rings had overwritten before they were read.
    case recordsMissed
    case recordsMalformed
    /// Records of rings, and chunks of the black box, that were left out because they are damaged.
    case recordsDamaged
    /// Wall clock, nanoseconds since the epoch; 0: never.
    case lastCommitAtNanoseconds
    /// Bytes of the database that are in use.
    case usedBytes
    case chunksDropped
    /// Wall clock, nanoseconds since the epoch, of the oldest sample; 0: no sample is stored.
    case oldestSampleAtNanoseconds
    /// Bytes of stored profiles, as they are stored.
    case profileBytes
    /// Samples of minutes in which an agent or the proxy was away.
    case samplesFilled
    case profilesStored
    /// The record that is being read (a `RecordName`'s word), for the supervisor when this process dies; 0: none.
    case reading
    /// Records that were left out because they have killed recorders.
    case recordsPoisonous

    /// Behind these come the errors by cause (``RecorderTrouble``), then the incidents by kind.
    public static let firstErrorWord = 32
    public static let firstIncidentWord = 64
}

/// Why a recorder does not record, as a word in shared memory; numbers are never reused.
public enum RecorderTrouble: Int, CaseIterable, Sendable {
    case full = 1
    case readOnly
    case corrupt
    case newerSchema
    case foreign
    case locked
    case cannotOpen
    case inputOutput
    case other

    /// As the value of a metric's label.
    public var name: String {
        switch self {
        case .full: "full"
        case .readOnly: "read_only"
        case .corrupt: "corrupt"
        case .newerSchema: "newer_schema"
        case .foreign: "foreign"
        case .locked: "locked"
        case .cannotOpen: "cannot_open"
        case .inputOutput: "input_output"
        case .other: "other"
        }
    }

    /// For people: the cause and the remedy.
    public var text: String {
        switch self {
        case .full: "no room: make room on the file system, or set a smaller --black-box-max-size"
        case .readOnly:
            "the file system is read-only: make the folder writable for the user of fodc-recorder (ps -o user,cmd)"
        case .corrupt: "the file is damaged and a new one is too: look at the disk (dmesg)"
        case .newerSchema: "a later release wrote the file: install that again, or move the file away"
        case .foreign: "the file belongs to another program: move it away"
        case .locked: "another process holds the lock: give each service a --black-box-dir of its own"
        case .cannotOpen:
            "the file cannot be opened: see that --black-box-dir exists and that the user of fodc-recorder (ps -o user,cmd) may write to it"
        case .inputOutput: "reading or writing fails: look at the disk (dmesg)"
        case .other: "its log lines say why"
        }
    }
}
