// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Database

/// The status of a recorder, for metrics and status pages.
public struct RecorderStatus: Equatable, Sendable {
    /// Why nothing is recorded; `nil`: it is recording.
    public var cause: DatabaseError.Cause?
    /// The same for people, with the remedy.
    public var trouble: String?
    public var samplesRecorded: UInt64 = 0
    public var recordsMissed: UInt64 = 0
    public var recordsMalformed: UInt64 = 0
    public var recordsDamaged: UInt64 = 0
    /// Left out, because they have killed recorders.
    public var recordsPoisonous: UInt64 = 0
    /// Wall clock; 0: never.
    public var lastCommitNanoseconds: Int64 = 0
    public var usedBytes: Int64 = 0
    public var writeErrors: [DatabaseError.Cause: UInt64] = [:]
    public var incidents: [IncidentKind: UInt64] = [:]
    public var chunksDropped: UInt64 = 0
    /// Wall clock; 0: there is no sample.
    public var oldestSampleNanoseconds: Int64 = 0
    public var profileBytes: Int64 = 0
    public var samplesFilled: UInt64 = 0
    public var profilesStored: UInt64 = 0

    public init() {}
}

/// The settings of a recorder.
public struct RecorderSettings: Sendable {
    /// The folder of the black box.
    public var folder: String
    public var intervalNanoseconds: Int64
    /// `--stale-grace`.
    public var graceNanoseconds: UInt64
    public var limits: RetentionLimits

    public init(folder: String, intervalNanoseconds: Int64, graceNanoseconds: UInt64, limits: RetentionLimits) {
        self.folder = folder
        self.intervalNanoseconds = intervalNanoseconds
        self.graceNanoseconds = graceNanoseconds
        self.limits = limits
    }
}
