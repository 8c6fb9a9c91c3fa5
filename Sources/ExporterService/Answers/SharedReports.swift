// SPDX-License-Identifier: Apache-2.0

/// Makes one report for all who were served by one collection at once.
final class SharedReports<Report> {
    private var waiting: [UInt64: [(Report) -> Void]] = [:]

    /// - Parameter make: begins to make the report, and hands it over later; called for the first of a batch.
    func report(
        ofBatch batch: UInt64, _ make: (@escaping (Report) -> Void) -> Void, then done: @escaping (Report) -> Void
    ) {
        guard waiting[batch] == nil else {
            waiting[batch]?.append(done)
            return
        }
        waiting[batch] = [done]
        make { [self] report in
            for done in waiting.removeValue(forKey: batch) ?? [] { done(report) }
        }
    }
}
