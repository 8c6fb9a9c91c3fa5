// SPDX-License-Identifier: Apache-2.0
import RingMessages

/// A profile on its way from an agent: to a client as it comes, or into memory.
protocol ProfileReceiver: AnyObject {
    var request: DownloadRequest { get }
    /// Nil until the agent was asked.
    var number: UInt64? { get }

    func chunkArrived(offset: UInt64, _ payload: RawSpan)
    func ended(_ ending: FetchEnding, byteCount: UInt64)
    func workerLost()
    /// The exporter drains.
    func drain()
}
