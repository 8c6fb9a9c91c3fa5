// SPDX-License-Identifier: Apache-2.0

/// Counters of an ingest worker in the words of its ring's header, where the exporter reads them and where they survive
/// the worker. The raw value is the word; numbers are never reused for something else without a new layout version.
public enum IngestCounter: Int, CaseIterable, Sendable {
    // Registrations by outcome.
    case registeredNew = 0
    case registeredReturned
    case registeredDuplicate
    case refusedInvalid
    case refusedLimit
    case refusedLoop
    /// Of an identity that the supervisor has quarantined because it has crashed workers.
    case refusedQuarantined
    /// Its identity found no room in the ring.
    case refusedNoRoom

    // Losses of agents by cause.
    case lostStreamEnded = 8
    case lostConnection
    case lostHeartbeatTimeout
    case lostKeepalive
    case lostWorker
    case leftCleanup
    case leftEvicted
    case leftElsewhere

    // Metrics requests and answers.
    case askedLatest = 16
    case askedWindow
    case answeredLatest
    case answeredLate
    case answeredWindow
    case answeredUnasked
    case answeredMalformed
    case notAnswered
    case notAskedBusy
    /// More metrics and other fields than a message may have.
    case answeredTooManyEntries = 27

    // Samples.
    case samplesReceived = 28
    case samplesAccepted

    // Streams refused for their metadata.
    case refusedNoAgentID = 32
    case refusedUnknownAgentID

    // The ring.
    case backPressureNanoseconds = 36
    case recordsTooLarge
    case recordsWithoutMemory
    case commandsDamaged
    case commandsOfDeadGeneration
    /// The ring of a predecessor that could not be used, and was begun anew. Counted in the new one.
    case ringsReplaced = 42
    /// ``InFlightCommand``.
    case lastCommand

    // gRPC transport.
    case grpcBytesIn = 48
    case grpcBytesOut
    case grpcMessagesIn
    case grpcMessagesOut
    case connectionsAccepted
    case connectionsOpen
    case assemblyBytes
    case assemblyBytesPeak

    // Gauges set on every tick.
    case agentsOnline = 60
    case agentsUnconnected
    case ringBytes
    case ringUsedBytes
    case ringCurrentBytes
    /// 1 while the worker waits for the exporter to read on.
    case waitsForRoom

    // Across workers.
    /// Registrations that have met an older one of their id at another worker: its connection answered a ping…
    case conflictsAlive = 73
    /// …or was found to be gone…
    case conflictsGone
    /// …or its worker has decided nothing in time…
    case conflictsUnanswered
    /// …or the newer registration ended before.
    case conflictsWithdrawn
    /// Agents whose first registration waits for room in the ring, as gauge.
    case agentsPending = 78
    /// Open streams of agents that are registered at another worker, as gauge.
    case remoteStreams
    /// Those that were opened.
    case remoteStreamsOpened
    /// Those that ended because the agent has left the worker that it was registered at.
    case remoteStreamsEnded
    /// Connections that were closed because their agent is registered at another worker by now.
    case yieldedElsewhere
    /// Connections that were closed because their identity is quarantined.
    case closedQuarantined

    // Sharing the agents with the other workers.
    /// Agents that were sent to others because this worker had more than its share.
    case agentsMoved = 96
    /// Agents taken over from the ring of a worker that is no more.
    case agentsAdopted
    /// Attempts to accept a connection that failed for lack of descriptors or memory.
    case acceptsFailed
    /// RegisterAgent streams on which nothing came.
    case refusedSilent
    /// Labels of registrations that are not put on the agent's series.
    case labelsLeftOut

    // Access of agents.
    /// Connections from addresses that `--grpc-allow-from` does not name.
    case sourcesRefused = 104
    /// TLS handshakes that came to their end.
    case handshakes
    /// Registrations of pods that the certificate of their connection may not register.
    case refusedIdentity
    /// Streams whose connection has not the identity that their agent has registered with.
    case refusedStreamIdentity
    /// When the certificate of the TLS listener expires, seconds since 1970, as gauge; 0: agents do not connect with TLS.
    case certificateExpiry
    /// 1 while the files of the TLS listener are bad, and what was read before is in use.
    case certificateFilesBad

    // The ring's own health.
    /// Header words and slots that this worker has found changed and written again.
    case ringRepairs = 112
    /// 1 while the command ring A (of exporters of even generation), or B, cannot be read on: no stall of the worker's own.
    case commandsStalledA
    case commandsStalledB
    /// 1 when what is current in the ring has been lost to damage: the ring is to be reset.
    case ringDamaged
    /// Places in the ring that held no record any more when they were to be overwritten.
    case ringDamagedPlaces

    // Registrations and streams that cost others.
    /// Registrations refused because their connection has as many agents as one may have.
    case refusedConnectionLimit = 120
    /// The same for the address that connections come from.
    case refusedSourceLimit
    /// Streams ended because their agent had had no registration for some seconds.
    case orphanedStreamsEnded

    /// Where the words begin that say what the worker's process uses (`Platform.ProcessUsage.words`).
    public static let firstProcessWord = 480
    /// Where the drops of samples begin, in the order of `Metrics.DropCause`.
    public static let firstSampleDrop = 128
    /// Where the TLS handshakes begin that failed, in the order of `TransportSecurity.HandshakeFailure`.
    public static let firstHandshakeFailure = 160
    /// Where the ends of streams begin, by gRPC status code.
    public static let firstStreamEnd = 192
    /// The status codes of gRPC by their names, as values of a metric's label: those of `GRPCServer`, which the exporter does
    /// not link.
    public static let statusCodeNames = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]
    /// How many status codes there are.
    public static let statusCodes = statusCodeNames.count
    /// Where what is counted of each stream begins: ``StreamCounter/word(of:)``.
    public static let firstStreamWord = 256
    /// Where the ends of connections begin, in the order of `GRPCConnectionEnd`.
    public static let firstConnectionEnd = 224
    /// Where the calls that the gRPC server refused or ended begin, in the order of `GRPCCallRefusal`.
    public static let firstCallRefusal = 240
}
