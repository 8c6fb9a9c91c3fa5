// SPDX-License-Identifier: Apache-2.0

extension ProxySettings {
    /// The limits of each setting. The reasons are beside the figures; ``set(_:to:source:)`` holds them.
    public enum Limits {
        /// Over all workers. Above, the rings' tables and the descriptors of a process would have to grow with it.
        public static let agents = 1...50_000
        /// Agents have a connection each. A sidecar of a service mesh brings several on one: with the 1,024 streams that a
        /// connection may have, 146 agents with seven streams, or 256 with four. 0: no limit.
        public static let agentsPerConnection = 0...50_000
        /// 0: no limit.
        public static let agentsPerSource = 0...50_000
        /// One process each; more than cores is waste, and each costs a ring and its memory.
        public static let ingestWorkers = 1...64
        /// Workers that are started unless told otherwise: one decodes 1,000 agents of 2,000 series in under a second.
        public static let defaultIngestWorkersAtMost = 4
        /// Below, even a registration could not pass; above, one message would need a ring of more than 640 MiB.
        public static let grpcMessageBytes = ByteSize.kibibyte...(256 * ByteSize.mebibyte)
        /// A ring holds a record of the largest message beside what is current (``ringBytes(forMessageBytes:)``); above,
        /// a ring has no room.
        public static let ringBytes = (80 * ByteSize.mebibyte)...(8 * ByteSize.gibibyte)
        public static let defaultRingBytesAtMost = 2 * ByteSize.gibibyte
        /// An agent that beats more often than once a second only costs; agents are told whole seconds. Zero leaves the
        /// interval to them.
        public static let heartbeatInterval = Duration.seconds(1)...Duration.seconds(3600)
        /// The interval of an agent that is told none.
        public static let agentsOwnHeartbeatInterval = Duration.seconds(10)
        /// Two beats of the shortest interval. Zero: never.
        public static let heartbeatTimeout = Duration.seconds(2)...Duration.seconds(24 * 3600)
        public static let cleanupTimeout = Duration.seconds(3)...Duration.seconds(7 * 24 * 3600)
        /// Zero: no limit.
        public static let httpTimeout = Duration.milliseconds(100)...Duration.seconds(3600)
        /// Last-known values are served for 5 min at most, whatever the grace (HTTP contract).
        public static let staleGrace = Duration.zero...Duration.seconds(300)

        /// Agents answer lifecycle out of a cache of 10 min; a day between collections is as good as none.
        public static let lifecycleInterval = Duration.zero...Duration.seconds(24 * 3600)
        /// Below a chunk no download could begin; above a tebibyte it is no limit.
        public static let spoolBytes = ByteSize.mebibyte...(1024 * ByteSize.gibibyte)

        /// Agents read their nodes every few seconds; an hour between samples tells nothing of an end. Zero: no recorder.
        public static let recordInterval = Duration.seconds(1)...Duration.seconds(3600)
        /// Below, the minutes before an incident would not fit; above a tebibyte it is no limit.
        public static let blackBoxBytes = (16 * ByteSize.mebibyte)...(1024 * ByteSize.gibibyte)
        public static let blackBoxAge = Duration.seconds(3600)...Duration.seconds(3660 * 24 * 3600)
        /// Each keeps samples from being dropped.
        public static let blackBoxIncidents = 1...100_000

        /// The interval that follows a timeout when nobody has set one: a third, so that one lost beat is no loss.
        public static func heartbeatInterval(forTimeout timeout: Duration) -> Duration {
            guard timeout != .zero else { return agentsOwnHeartbeatInterval }
            let third = Duration.seconds(timeout.components.seconds / 3)
            return min(max(third, heartbeatInterval.lowerBound), agentsOwnHeartbeatInterval)
        }

        /// The least ring for messages of so many bytes: 2.5 times, 80 MiB for the default of 32 MiB.
        public static func ringBytes(forMessageBytes messageBytes: Int) -> Int {
            max(ringBytes.lowerBound, messageBytes / 2 * 5)
        }
    }
}
