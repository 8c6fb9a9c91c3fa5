// SPDX-License-Identifier: Apache-2.0

/// A part of the exporter: a folder that brings what it serves, reads and counts. ``ExporterFeatures`` lists the features;
/// nothing else knows all of them. Everything is called on the event loop.
protocol Feature: AnyObject {
    /// What it serves, in the order in which `/` lists it.
    var endpoints: [Endpoint] { get }
    /// Which records it reads out of the data rings. No two features read one type.
    var records: [RecordHandler] { get }
    /// What it counts.
    var metrics: [any MetricSource] { get }
    /// A client waits for agents that would answer within moments: a stop lets that end.
    var isAwaitingAgents: Bool { get }

    /// The rings have been read once; clients come from now on.
    func start()
    /// The rings have been read.
    func ringsWereRead()
    /// That worker does not answer any more what it was asked: it drains, was replaced, or records of it were lost.
    func workerStoppedAnswering(_ worker: Int)
    /// That worker's process is gone. What it was asked has been ended before (``workerStoppedAnswering(_:)``).
    func workerWasLost(_ worker: Int)
    /// A successor serves: what is under way goes on, nothing begins by itself.
    func retire()
    /// This exporter ends: what is under way ends with what has come.
    func endAll()
}

extension Feature {
    var endpoints: [Endpoint] { [] }
    var records: [RecordHandler] { [] }
    var metrics: [any MetricSource] { [] }
    var isAwaitingAgents: Bool { false }

    func start() {}
    func ringsWereRead() {}
    func workerStoppedAnswering(_ worker: Int) {}
    func workerWasLost(_ worker: Int) {}
    func retire() {}
    func endAll() {}
}

/// What features are built on.
struct FeatureContext {
    let core: WorkerCore
    let web: HTTPFrontend
    let registry: MetricRegistry
    let partial: PartialAnswers
    let budgets: MemoryBudgets
    /// The commit of this build.
    let revision: String
}
