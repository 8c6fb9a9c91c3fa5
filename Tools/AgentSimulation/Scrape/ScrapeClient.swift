// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1
import NIOPosix

/// Reads an endpoint once, over a connection of its own.
enum ScrapeClient {
    enum Fault: Error, Equatable {
        case status(Int)
        case tooLarge(limitBytes: Int)
        case closed
        case timeout
    }

    /// More than the largest real endpoints have; the body is held in memory.
    static let maximumBodyBytes = 64 << 20
    private static let timeout = TimeAmount.seconds(10)

    static func fetch(_ url: ScrapeURL, on eventLoop: any EventLoop) -> EventLoopFuture<ByteBuffer> {
        let promise = eventLoop.makePromise(of: ByteBuffer.self)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(
                        ScrapeResponseHandler(url, timeout: timeout, promise: promise))
                }
            }
            .connect(host: url.endpoint.host, port: url.endpoint.port)
            .cascadeFailure(to: promise)
        return promise.futureResult
    }
}

/// Sends one request and gathers the body of the answer.
private final class ScrapeResponseHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let url: ScrapeURL
    private let timeout: TimeAmount
    private var promise: EventLoopPromise<ByteBuffer>?
    private var body = ByteBuffer()

    init(_ url: ScrapeURL, timeout: TimeAmount, promise: EventLoopPromise<ByteBuffer>) {
        self.url = url
        self.timeout = timeout
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        let headers: HTTPHeaders = [
            "Host": "\(url.endpoint)", "Accept": "text/plain;version=0.0.4", "Connection": "close",
            "User-Agent": "fodc-agentsim",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timeout) {
            handler.value.finish(.failure(ScrapeClient.Fault.timeout), bound.value)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            guard head.status == .ok else {
                return finish(.failure(ScrapeClient.Fault.status(Int(head.status.code))), context)
            }
        case .body(var part):
            guard body.readableBytes + part.readableBytes <= ScrapeClient.maximumBodyBytes else {
                let fault = ScrapeClient.Fault.tooLarge(limitBytes: ScrapeClient.maximumBodyBytes)
                return finish(.failure(fault), context)
            }
            body.writeBuffer(&part)
        case .end:
            finish(.success(body), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(ScrapeClient.Fault.closed), context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(error), context)
    }

    private func finish(_ result: Result<ByteBuffer, any Error>, _ context: ChannelHandlerContext) {
        guard let promise else { return }
        self.promise = nil
        promise.completeWith(result)
        context.close(promise: nil)
    }
}
