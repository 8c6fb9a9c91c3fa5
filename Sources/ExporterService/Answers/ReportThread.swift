// SPDX-License-Identifier: Apache-2.0
import Exchange
import NIOCore
import Platform

/// Decodes agents' answers and writes JSON beside the event loop, one job after the other.
final class ReportThread {
    private let loop: any EventLoop
    private let thread: JobThread
    private let note: RecordNote

    /// The thread is there from now on: it could not be made when the first request comes at the limit of tasks.
    init(name: String, loop: any EventLoop, note: RecordNote) throws(SystemError) {
        thread = try JobThread(name: name)
        self.loop = loop
        self.note = note
    }

    deinit { thread.stop() }

    /// Runs `work` on the thread, and hands its outcome over on the loop.
    func run<Outcome: Sendable>(
        _ work: @escaping @Sendable (AnswerDecoder) -> Outcome, then done: @escaping (Outcome) -> Void
    ) {
        let finish = NIOLoopBound(done, eventLoop: loop)
        let decoder = AnswerDecoder(note: note)
        thread.run { [loop] in
            let outcome = work(decoder)
            loop.execute { finish.value(outcome) }
        }
    }
}

/// A thread for each kind of report, so that none waits for another's: what one agent sends for one of them may keep its
/// thread for seconds.
final class ReportThreads {
    enum Kind: CaseIterable {
        case cluster, topology, lifecycle, configuration, diagnostics, profiles

        /// Short enough for a thread's name, with what is before it.
        var name: String {
            switch self {
            case .cluster: "cluster"
            case .topology: "topology"
            case .lifecycle: "lifecyc"
            case .configuration: "config"
            case .diagnostics: "diagnos"
            case .profiles: "profiles"
            }
        }

        /// Where the thread says which record it is reading.
        var note: ExporterNote {
            switch self {
            case .cluster: .clusterThread
            case .topology: .topologyThread
            case .lifecycle: .lifecycleThread
            case .configuration: .configurationThread
            case .diagnostics: .diagnosticsThread
            case .profiles: .profilesThread
            }
        }
    }

    private let threads: [Kind: ReportThread]

    /// - Parameter note: of each place where a thread says what it reads.
    init(loop: any EventLoop, note: (ExporterNote) -> RecordNote) throws(SystemError) {
        var threads: [Kind: ReportThread] = [:]
        for kind in Kind.allCases {
            threads[kind] = try ReportThread(name: "report-\(kind.name)", loop: loop, note: note(kind.note))
        }
        self.threads = threads
    }

    subscript(_ kind: Kind) -> ReportThread {
        guard let thread = threads[kind] else { preconditionFailure("every kind has its thread") }
        return thread
    }
}
