// SPDX-License-Identifier: Apache-2.0

/// The line that `systemctl status` shows.
enum StatusText {
    /// What the line tells of one worker.
    struct Worker {
        let name: String
        let isReady: Bool
        /// Set when it dies again and again.
        let trouble: Trouble?
    }

    struct Trouble {
        let deaths: Int
        /// From the first to the last of them.
        let overNanoseconds: UInt64
        let lastCause: String
        /// `nil`: it runs again.
        let nextTryNanoseconds: UInt64?
    }

    static func line(ingest: [Worker], exporter: Worker, listening: String) -> String {
        let troubled = (ingest + [exporter]).filter { $0.trouble != nil }
        guard troubled.isEmpty else {
            return "degraded: " + troubled.map(text).joined(separator: "; ") + "; listening on \(listening)"
        }
        let ready = ingest.filter(\.isReady).count
        let workers =
            "\(ready == ingest.count ? "" : "\(ready) of ")\(ingest.count) ingest worker\(ingest.count == 1 ? "" : "s")"
        return "serving: \(workers), \(exporter.isReady ? "exporter" : "exporter starting"); listening on \(listening)"
    }

    private static func text(_ worker: Worker) -> String {
        guard let trouble = worker.trouble else { return worker.name }
        let next = trouble.nextTryNanoseconds.map { "next try in \(seconds($0))" }
        return
            "\(worker.name) died \(trouble.deaths) times in \(seconds(trouble.overNanoseconds)), last \(trouble.lastCause); "
            + (next ?? (worker.isReady ? "running again" : "starting"))
    }

    /// `0.3 s`, `12 s`: seconds for people.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let tenths = (nanoseconds + 50_000_000) / 100_000_000
        return tenths >= 100 || tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}
