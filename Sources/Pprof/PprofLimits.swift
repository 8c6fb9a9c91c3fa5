// SPDX-License-Identifier: Apache-2.0

/// Limits of a profile while it is read and shown. An agent may send anything, and a few bytes can stand for very many.
public struct PprofLimits: Sendable, Equatable {
    /// Bytes of one capture as the agent sends it. A heap profile of a large Go program has some hundred KiB.
    public var compressedBytes: Int
    /// Bytes of one capture after gzip, which makes a thousand bytes of one.
    public var expandedBytes: Int
    /// Strings, functions, locations and their lines together: the tables that are held while samples are read.
    public var entries: Int
    /// Distinct places in the tree of calls. A heap profile of a large Go program has some ten thousand.
    public var nodes: Int
    /// Bytes of the answer.
    public var outputBytes: Int
    /// Frames of all samples together; each costs tenths of a microsecond of the thread that reads it.
    public var frames = 8_000_000

    /// A sample costs a microsecond of the thread that reads it.
    public static let samples = 1_000_000
    /// Frames of one sample. Go cuts stacks at 128 locations, and at 1,024 on demand; a location may have several frames.
    public static let framesPerSample = 4096
    /// Kinds of values of a sample. Go's heap profiles have four.
    public static let sampleTypes = 16
    /// Bytes of one sample, function or location on the wire: ``framesPerSample`` varints and as much again for labels.
    public static let messageBytes = 128 << 10
    /// Bytes of a shown name; a longer one is cut.
    public static let nameBytes = 512

    /// Memory of an entry of the tables: a place in a dictionary, and a name.
    private static let entryBytes = 96
    /// Memory of a node: what it holds, its place in a dictionary and in its parent's list.
    private static let nodeBytes = 96

    /// - Parameter memoryBytes: for everything together, two captures included.
    public init(memoryBytes: Int) {
        compressedBytes = memoryBytes / 8
        expandedBytes = memoryBytes / 4
        entries = memoryBytes / 8 / Self.entryBytes
        nodes = memoryBytes / 8 / Self.nodeBytes
        outputBytes = memoryBytes / 4
    }
}

/// Why a profile cannot be shown.
public struct PprofError: Error, Equatable {
    /// The raw values are metric label values.
    public enum Cause: String, CaseIterable, Sendable {
        /// A limit of ``PprofLimits`` is passed.
        case tooLarge = "too_large"
        /// The bytes are not a profile in pprof's format, or contradict each other.
        case malformed
        /// The profile has no such kind of value.
        case unknownSampleType = "unknown_sample_type"
    }

    public var cause: Cause
    /// For the client: the value, the limit, the remedy.
    public var text: String

    static func malformed(_ text: String) -> PprofError { PprofError(cause: .malformed, text: text) }

    static func tooLarge(_ what: String, limit: Int) -> PprofError {
        PprofError(
            cause: .tooLarge,
            text: "the profile has more than \(limit) \(what); download it without format= and use pprof")
    }
}
