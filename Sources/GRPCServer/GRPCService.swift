// SPDX-License-Identifier: Apache-2.0
/// The service behind the server. Everything is called on the server's event loop.
public protocol GRPCService: AnyObject {
    /// A client has called a method; `call.path` is `/package.Service/Method`. Now is the time to read its metadata.
    /// - Returns: Who hears of the call. nil: the service has finished it already, or, when it did not, does not know the
    ///   path, and the client gets `UNIMPLEMENTED`.
    func open(_ call: GRPCCall) -> (any GRPCCallHandler)?
}

/// Hears what comes in on one call, in the order in which it was sent.
public protocol GRPCCallHandler: AnyObject {
    /// A whole message, valid during the call only.
    func received(message: RawSpan)
    /// A message is longer than ``GRPCCall/maxMessageBytes``, by its prefix. The call ends, with `RESOURCE_EXHAUSTED` unless
    /// the handler ends it.
    func refusedMessage(byteCount: Int)
    /// The client sends no more messages; it still reads.
    func halfClosed()
    /// The call is over: the last event, exactly once, never from within a method of ``GRPCCall``, or not at all when
    /// ``GRPCService/open(_:)`` gave no handler.
    func closed(_ end: GRPCCallEnd)
}

extension GRPCCallHandler {
    public func refusedMessage(byteCount: Int) {}
}
