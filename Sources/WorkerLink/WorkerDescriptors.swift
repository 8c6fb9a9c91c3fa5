// SPDX-License-Identifier: Apache-2.0

/// Descriptor numbers in the worker's own process. `rw`: to be mapped for reading and writing; `ro`: a read-only
/// descriptor, on which nothing else is possible.
public struct WorkerDescriptors: Equatable, Sendable {
    /// Descriptors that an ingest worker has beside the common ones.
    public struct Ingest: Equatable, Sendable {
        /// Its own lane (rw).
        public var up: Int32
        /// Commands of exporters of even (A) and odd (B) generation (ro).
        public var downA: Int32
        public var downB: Int32
        /// Its ends of the wakeup channels to and from the exporter of even (A) and odd (B) generation.
        public var bellA: Int32
        public var bellB: Int32
        /// The lanes of the other ingest workers (ro).
        public var otherUps: [OtherLane]

        public init(up: Int32, downA: Int32, downB: Int32, bellA: Int32, bellB: Int32, otherUps: [OtherLane]) {
            (self.up, self.downA, self.downB) = (up, downA, downB)
            (self.bellA, self.bellB, self.otherUps) = (bellA, bellB, otherUps)
        }
    }

    /// The lane of another ingest worker.
    public struct OtherLane: Equatable, Sendable {
        public var index: Int
        public var descriptor: Int32

        public init(index: Int, descriptor: Int32) {
            (self.index, self.descriptor) = (index, descriptor)
        }
    }

    /// Descriptors that the exporter has beside the common ones; the arrays are as long as there are ingest workers.
    public struct Exporter: Equatable, Sendable {
        /// The ingest workers' lanes (ro).
        public var ups: [Int32]
        /// The command lanes of this exporter's parity (rw).
        public var downs: [Int32]
        /// Its ends of the wakeup channels of its parity.
        public var bells: [Int32]
        /// The exporter's own lane (rw).
        public var state: Int32

        public init(ups: [Int32], downs: [Int32], bells: [Int32], state: Int32) {
            (self.ups, self.downs, self.bells, self.state) = (ups, downs, bells, state)
        }
    }

    /// The recorder's descriptors beside the common ones.
    public struct Recorder: Equatable, Sendable {
        /// The ingest workers' lanes (ro).
        public var ups: [Int32]
        /// Its own lane (rw), for its heartbeat and what it says of itself (``RecorderCounter``).
        public var state: Int32

        public init(ups: [Int32], state: Int32) { (self.ups, self.state) = (ups, state) }
    }

    public enum Lanes: Equatable, Sendable {
        case ingest(Ingest)
        case exporter(Exporter)
        case recorder(Recorder)
    }

    /// The table of workers (ro), written by the supervisor.
    public var control: Int32
    /// The worker socket: see ``SupervisorLink``.
    public var link: Int32
    /// The listening TCP socket: gRPC for ingest (shared among them), HTTP for the exporter. Nonblocking. -1 for the
    /// recorder, which has none.
    public var listener: Int32
    /// Of ingest workers, which make the ids of agents: a sealed memfd with the installation's secret (ro); read by
    /// ``WorkerLaunch/init(arguments:)``, then closed.
    public var secret: Int32?
    public var lanes: Lanes

    public init(control: Int32, link: Int32, listener: Int32, secret: Int32?, lanes: Lanes) {
        (self.control, self.link, self.listener) = (control, link, listener)
        (self.secret, self.lanes) = (secret, lanes)
    }
}
