// SPDX-License-Identifier: Apache-2.0

/// How many answers may be on their way at once. A thousand agents that are asked in one go send half a gigabyte: the
/// half of it waits in the receive buffers' budget, connections are switched off and on, and no cache holds what is
/// worked on. So agents are asked in waves, the next one as soon as an answer is in.
struct AnswerPacing {
    /// Half of the gRPC server's budget for half-received messages: some sixty agents of 2,000 series.
    static let budgetBytes = 32 * 1024 * 1024
    /// An agent that has not answered by then is not waited for with asking the others.
    static let timeoutNanoseconds: UInt64 = 200_000_000
    /// The assumed size of an agent's answer before it has answered once.
    static let presumedBytes = 512 * 1024

    private(set) var expectedBytes = 0

    /// Whether one more may be asked; one may in any case.
    var hasRoom: Bool { expectedBytes < Self.budgetBytes }

    mutating func asked(expecting bytes: Int) { expectedBytes += bytes }

    /// The answer is in, or is not waited for any more.
    mutating func settled(_ bytes: Int) {
        expectedBytes -= bytes
        precondition(expectedBytes >= 0, "what was expected is settled once")
    }

    static func estimate(series: Int, bytesPerSample: Double) -> Int {
        guard series > 0, bytesPerSample > 0 else { return presumedBytes }
        // No message is larger than the largest that is accepted, 256 MiB at most.
        return Int(min(Double(series) * bytesPerSample, 256 * 1024 * 1024))
    }
}
