// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform

/// Which connection is closed when a place is needed.
struct EvictionRank: Comparable {
    /// The lower go first.
    enum Order: Int {
        /// Has got all, and is only to be closed.
        case lingering
        /// Between two requests.
        case idle
        /// A part of a request, or nothing, has arrived.
        case silent
        /// Takes its answer slowly; its source holds more than its share of the places.
        case slowReaderOverShare
        /// Waits for its answer to begin; its source holds more than its share of the places.
        case waitingOverShare
        /// Takes its answer slowly.
        case slowReader
    }

    var order: Order
    /// Of slow readers; of those the slowest goes first.
    var bytesPerSecond = 0.0
    /// Of equals the one that has been there for longest goes first.
    var since: NIODeadline

    static func < (left: EvictionRank, right: EvictionRank) -> Bool {
        (left.order.rawValue, left.bytesPerSecond, left.since)
            < (right.order.rawValue, right.bytesPerSecond, right.since)
    }
}

extension HTTPConnection {
    /// A connection whose first request has not arrived is not closed for another one before this time: in a burst the
    /// requests of those just accepted are still to be read, or on their way. Not longer: hundreds that say nothing are in
    /// the queue before a scrape, and each lot of them that there is room for takes so much of its time.
    static let graceOfTheNew = TimeAmount.milliseconds(250)

    /// A request that has waited for less is not closed for another one.
    static let graceOfAnswers = TimeAmount.seconds(1)

    /// A client that takes more in a second is not slow. One that reads gets more even of a server that is at its limits.
    private static let slowestFairBytesPerSecond = 64.0 * 1024.0

    /// Whether its first request has not come yet, and may still.
    var isNew: Bool {
        switch phase {
        case .idle where !hasServed, .receivingHead: channel.eventLoop.now - phaseSince < Self.graceOfTheNew
        default: false
        }
    }

    /// nil: not to be closed for another one.
    var evictionRank: EvictionRank? {
        switch phase {
        case .lingering: EvictionRank(order: .lingering, since: phaseSince)
        case .idle where hasServed: EvictionRank(order: .idle, since: phaseSince)
        case .idle, .receivingHead: isNew ? nil : EvictionRank(order: .silent, since: phaseSince)
        case .answering: slowReaderRank ?? waitingRank
        case .closed: nil
        }
    }

    private var isOverShare: Bool { server.isOverShare(source) }

    /// For a client that does not take its answer as fast as it is made; nil for any other. The first look at an answer only
    /// notes how far it is: what the kernel takes at the beginning says nothing about the client.
    var slowReaderRank: EvictionRank? {
        guard phase == .answering, exchange?.hasBegun == true else { return nil }
        let buffered = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        let rate = writeProgress.recentBytesPerSecond(bufferedBytes: buffered, now: channel.eventLoop.now)
        // With nothing buffered the answer is slow in the making.
        guard let rate, buffered > 0, rate < Self.slowestFairBytesPerSecond else { return nil }
        return EvictionRank(
            order: isOverShare ? .slowReaderOverShare : .slowReader, bytesPerSecond: rate, since: phaseSince)
    }

    /// For a request that has waited for a while, unless its path has places in reserve.
    private var waitingRank: EvictionRank? {
        guard let exchange, !exchange.hasBegun, isOverShare, let path = exchange.path,
            !server.configuration.reservedPaths.contains(path),
            channel.eventLoop.now - phaseSince >= Self.graceOfAnswers
        else { return nil }
        return EvictionRank(order: .waitingOverShare, since: phaseSince)
    }

    /// Ends it for another one's sake, and gives back at once what its answer holds.
    func evict() {
        let cause: HTTPCloseCause = slowReaderRank == nil ? .evicted : .slowReader
        cut(cause)
        abandonExchange()
    }

    /// A connection that was accepted into the reserve is there for the paths that have one.
    func refusalForLackOfPlaces(_ request: HTTPRequest) -> RequestRejection? {
        guard isInReserve else { return nil }
        isInReserve = !server.hasRoomForThoseThere
        guard isInReserve, !server.configuration.reservedPaths.contains(request.path) else { return nil }
        return RequestRejection(
            status: 503, cause: .noPlace,
            message: "all \(server.configuration.maximumConnections) connections are in use: try again later")
    }
}

extension NetworkSource {
    /// Where a connection comes from; a local socket is nowhere in particular.
    init(_ address: SocketAddress?) {
        self = address?.ipAddress.map { NetworkSource(host: $0) } ?? .unknown
    }
}
