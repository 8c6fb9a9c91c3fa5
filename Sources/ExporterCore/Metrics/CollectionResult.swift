// SPDX-License-Identifier: Apache-2.0

/// How a collection of the latest values went, as seen by one request that waited for it.
struct CollectionResult {
    /// Monotonic. Samples that were read before belong to an earlier collection.
    var startedAtNanoseconds: UInt64
    /// Workers that run and could not be asked. Their agents may be well: without their series the answer would look whole.
    var refusals: [Int: AskRefusal] = [:]
    /// Workers that did not let their agents have their time, and why: the last values of these agents serve.
    var interruptions: [Int: Interruption] = [:]
    /// This exporter ends: what has come is all, and the last values of the others serve.
    var isCutShort = false
    /// The same for all that were served at once by the same collection: their answers are one.
    var batch: UInt64 = 0

    /// Why agents of a worker were not given their time. The raw values are metric label values.
    enum Interruption: String, CaseIterable {
        /// The worker is being replaced.
        case workerDraining = "worker_draining"
        /// The worker died after it was asked.
        case workerLost = "worker_lost"
        /// At the request's deadline the worker had not taken the question, did not show that it lives, or had written more
        /// than this exporter had read.
        case workerSilent = "worker_silent"
    }
}

/// Why a worker that runs was not asked. The raw values are metric label values.
enum AskRefusal: String, CaseIterable {
    /// As many collections as it takes are under way.
    case workerBusy = "worker_busy"
    /// There is no room in the command ring: the worker does not read its commands.
    case commandRingFull = "command_ring_full"

    /// For the client.
    var text: String {
        switch self {
        case .workerBusy: "a worker of the proxy has too many collections in progress: try again later"
        case .commandRingFull: "a worker of the proxy does not accept requests at the moment: try again later"
        }
    }
}
