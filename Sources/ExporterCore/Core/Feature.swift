// SPDX-License-Identifier: Apache-2.0

/// A part of the exporter: a folder that brings its endpoints, record handlers and metrics. ``ExporterFeatures`` lists the
/// features; nothing else knows all of them. Everything is called on the event loop.
protocol Feature: AnyObject {
    /// In the order in which `/` lists them.
    var endpoints: [Endpoint] { get }
    /// The records that it reads out of the data rings. No two features read one type.
    var records: [RecordHandler] { get }
    /// The counters whose metrics `/metrics` shows.
    var metrics: [any MetricSource] { get }
    /// A client waits for agents that would answer within moments: a stop lets that end.
    var isAwaitingAgents: Bool { get }

    /// The rings have been read once; clients come from now on.
    func start()
    /// The rings have been read.
    func ringsWereRead()
    /// That worker does not answer earlier questions any more: it drains, was replaced, or records of it were lost.
    func workerStoppedAnswering(_ worker: Int)
    /// That worker's process is gone. ``workerStoppedAnswering(_:)`` has been called before.
    func workerWasLost(_ worker: Int)
    /// A successor serves: requests under way go on, nothing begins by itself.
    func retire()
    /// This exporter ends: requests under way end with the answers that have come.
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

/// The parts that features are built on.
struct FeatureContext {
    let core: ExporterRuntime
    let web: HTTPFrontend
    let registry: MetricRegistry
    let partial: PartialAnswers
    let budgets: MemoryBudgets
    /// The commit of this build.
    let revision: String
}
