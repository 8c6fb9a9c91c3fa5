// SPDX-License-Identifier: Apache-2.0
import Platform
import Settings

/// All that a worker is told when it starts. The supervisor writes it as arguments (``arguments``), the worker reads
/// them (``init(arguments:)``); the secret goes through a descriptor, because everybody on the machine sees arguments.
public struct WorkerLaunch: Equatable, Sendable {
    /// Bytes of the installation's secret.
    public static let secretBytes = 32
    /// Most ingest workers that a descriptor list is taken for.
    public static let limitWorkers = ProxySettings.Limits.ingestWorkers.upperBound

    /// A thread reads one record at a time, and an exporter has two that read.
    static let limitSuspects = 2

    /// A user and a group, by number: whom the workers of a supervisor that root has started become.
    public struct WorkerUser: Equatable, Sendable {
        public var user: UInt32
        public var group: UInt32

        public init(user: UInt32, group: UInt32) {
            (self.user, self.group) = (user, group)
        }
    }

    public let role: WorkerRole
    /// 0 for the exporter and the recorder.
    public let index: Int
    /// Rises by one with each start of this worker, from 1. An exporter's rings are those of `generation % 2`.
    public let generation: UInt64
    public let ingestWorkers: Int
    /// An ingest worker of a reload: it waits for ``SupervisorMessage/takeRing`` before it touches its ring.
    public let isStandby: Bool
    /// Its own rings killed somebody again and again: it begins with empty ones.
    public let isFresh: Bool
    /// For the exporter: what its predecessor was reading when it died of a fault of its own, as words of
    /// `RingMessages.RecordName`; empty when it did not.
    public let suspects: [UInt64]
    /// The user that the worker changes to; `nil`: it keeps its user.
    public let user: WorkerUser?
    public let settings: ProxySettings
    /// For ids of agents; empty in the supervisor's own copy, and in workers that make none.
    public private(set) var secret: [UInt8] = []
    public let descriptors: WorkerDescriptors

    public init(
        role: WorkerRole, index: Int, generation: UInt64, ingestWorkers: Int, isStandby: Bool = false,
        isFresh: Bool = false, suspects: [UInt64] = [], user: WorkerUser? = nil, settings: ProxySettings,
        descriptors: WorkerDescriptors
    ) {
        self.role = role
        self.index = index
        self.generation = generation
        self.ingestWorkers = ingestWorkers
        self.isStandby = isStandby
        self.isFresh = isFresh
        self.suspects = suspects
        self.user = user
        self.settings = settings
        self.descriptors = descriptors
    }

    /// `ingest-0`, `exporter`: for logs and labels.
    public var name: String { Self.name(role, index) }

    public static func name(_ role: WorkerRole, _ index: Int) -> String {
        role.isSingle ? role.rawValue : "\(role.rawValue)-\(index)"
    }

    /// In the worker: what it was told. `arguments` are those of the command line, the program's name first. Reads
    /// the secret from its descriptor and closes that.
    public init(arguments: [String]) throws(WorkerLaunchError) {
        try self.init(decoding: arguments.dropFirst())
        guard let descriptor = descriptors.secret else { return }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SmallFile.readAndClose(descriptor, limitBytes: Self.secretBytes + 1)
        } catch {
            throw WorkerLaunchError("the secret cannot be read: \(error)")
        }
        guard bytes.count == Self.secretBytes else {
            throw WorkerLaunchError("the secret has \(bytes.count) bytes instead of \(Self.secretBytes)")
        }
        secret = bytes
    }
}
