// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counters of all agents of a process, from whichever loop.
public final class FleetStatistics: Sendable {
    public struct Counts: Sendable, Equatable {
        /// Now: TCP connections.
        public var connected = 0
        /// Now: agents whose registration was answered with success.
        public var registered = 0
        /// So far:
        public var registrations = 0
        public var heartbeats = 0
        public var requests = 0
        public var answers = 0
        public var windowAnswers = 0
        /// Answers on the streams besides metrics; a download counts when its last chunk is out.
        public var streamAnswers: [AgentMethod: Int] = [:]
        public var samples = 0
        public var bytesSent = 0
        public var bytesReceived = 0
        /// Ends of connections that were not wished for here, by status or cause.
        public var errors: [String: Int] = [:]
    }

    private let counts = Mutex(Counts())

    public init() {}

    public var snapshot: Counts { counts.withLock { $0 } }

    func update(_ body: (inout Counts) -> Void) {
        counts.withLock { body(&$0) }
    }

    func count(error name: String) {
        update { $0.errors[name, default: 0] += 1 }
    }
}
