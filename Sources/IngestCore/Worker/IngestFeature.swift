// SPDX-License-Identifier: Apache-2.0
import Rings

/// A part of an ingest worker with a subject of its own. ``IngestWorkerCore`` brings it commands, time, and the ends of others;
/// features with the same subject hold each other by themselves.
protocol IngestFeature: AnyObject {
    /// The commands that it takes, by the type of the record that brings them. Read once, at the start.
    var commands: [RecordType: ExporterCommand] { get }
    /// `CLOCK_MONOTONIC` of the next thing that ``tick(nowNanoseconds:)`` would do; `nil`: the next tick will do.
    var nextDeadlineNanoseconds: UInt64? { get }
    /// Somebody waits for what agents send now: a drain lets them finish first.
    var isCollecting: Bool { get }
    /// On every tick of the worker, and at ``nextDeadlineNanoseconds``.
    func tick(nowNanoseconds: UInt64)
    /// The exporter of this generation is gone: nobody waits for what it asked.
    func exporterGone(generation: UInt64)
    /// The worker ends: agents go elsewhere, and exporters are told of all that is under way.
    func drain()
}

extension IngestFeature {
    var commands: [RecordType: ExporterCommand] { [:] }
    var nextDeadlineNanoseconds: UInt64? { nil }
    var isCollecting: Bool { false }
    func exporterGone(generation: UInt64) {}
    func drain() {}
}
