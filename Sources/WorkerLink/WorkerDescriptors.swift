// SPDX-License-Identifier: Apache-2.0

/// Descriptor numbers in the worker's own process. `rw`: to be mapped for reading and writing; `ro`: a read-only
/// descriptor, on which nothing else is possible.
public struct WorkerDescriptors: Equatable, Sendable {
    /// Descriptors that an ingest worker has beside the common ones.
    public struct Ingest: Equatable, Sendable {
        /// Its own ring (rw).
        public var dataRing: Int32
        /// Commands of exporters of even (A) and odd (B) generation (ro).
        public var commandA: Int32
        public var commandB: Int32
        /// Its ends of the wakeup channels to and from the exporter of even (A) and odd (B) generation.
        public var wakeupA: Int32
        public var wakeupB: Int32
        /// The rings of the other ingest workers (ro).
        public var otherDataRings: [OtherRing]

        public init(
            dataRing: Int32, commandA: Int32, commandB: Int32, wakeupA: Int32, wakeupB: Int32,
            otherDataRings: [OtherRing]
        ) {
            (self.dataRing, self.commandA, self.commandB) = (dataRing, commandA, commandB)
            (self.wakeupA, self.wakeupB, self.otherDataRings) = (wakeupA, wakeupB, otherDataRings)
        }
    }

    /// The ring of another ingest worker.
    public struct OtherRing: Equatable, Sendable {
        public var index: Int
        public var descriptor: Int32

        public init(index: Int, descriptor: Int32) {
            (self.index, self.descriptor) = (index, descriptor)
        }
    }

    /// Descriptors that the exporter has beside the common ones; the arrays are as long as there are ingest workers.
    public struct Exporter: Equatable, Sendable {
        /// The ingest workers' rings (ro).
        public var dataRings: [Int32]
        /// The command rings of this exporter's parity (rw).
        public var commandRings: [Int32]
        /// Its ends of the wakeup channels of its parity.
        public var wakeups: [Int32]
        /// The exporter's own ring (rw).
        public var state: Int32
        /// The recorder's own ring (ro), for what the recorder says of itself.
        public var recorderState: Int32

        public init(dataRings: [Int32], commandRings: [Int32], wakeups: [Int32], state: Int32, recorderState: Int32) {
            (self.dataRings, self.commandRings, self.wakeups) = (dataRings, commandRings, wakeups)
            (self.state, self.recorderState) = (state, recorderState)
        }
    }

    /// The recorder's descriptors beside the common ones.
    public struct Recorder: Equatable, Sendable {
        /// The ingest workers' rings (ro).
        public var dataRings: [Int32]
        /// Its own ring (rw), for its heartbeat and what it says of itself (``RecorderCounter``).
        public var state: Int32

        /// The exporter's own ring (ro), for the verdicts on schemas.
        public var exporterState: Int32

        public init(dataRings: [Int32], state: Int32, exporterState: Int32) {
            (self.dataRings, self.state, self.exporterState) = (dataRings, state, exporterState)
        }
    }

    public enum Rings: Equatable, Sendable {
        case ingest(Ingest)
        case exporter(Exporter)
        case recorder(Recorder)
    }

    /// The table of workers (ro), written by the supervisor.
    public var control: Int32
    /// The worker socket: see ``SupervisorLink``.
    public var link: Int32
    /// The listening TCP socket: gRPC for ingest (shared among them), HTTP for the exporter. Nonblocking. -1 for the
    /// recorder, which has none, and for ingest where agents do not connect without TLS.
    public var listener: Int32
    /// Of ingest workers: the same for agents that connect with TLS; nil: no agent does.
    public var tlsListener: Int32?
    /// Those of the listening sockets that there are.
    public var listeners: [Int32] { (listener >= 0 ? [listener] : []) + [tlsListener].compactMap { $0 } }
    /// Of ingest workers, which make the ids of agents: a sealed memfd with the installation's secret (ro); read by
    /// ``WorkerLaunch/init(arguments:)``, then closed.
    public var secret: Int32?
    public var rings: Rings

    public init(
        control: Int32, link: Int32, listener: Int32, tlsListener: Int32? = nil, secret: Int32?, rings: Rings
    ) {
        (self.control, self.link, self.listener, self.tlsListener) = (control, link, listener, tlsListener)
        (self.secret, self.rings) = (secret, rings)
    }
}
