// SPDX-License-Identifier: Apache-2.0

/// Makes reports of one kind, one after the other. All who ask the same before it is begun share one: neither the answers
/// that are copied nor the reports that are made grow with the number of requests.
///
/// `Product` comes from the kind's thread; `Report` is what is made of it, once, on the event loop.
final class ReportMaker<Question: Hashable, Product: Sendable, Report> {
    typealias Outcome = Result<Report, ReportFailure>

    /// The work for the thread.
    struct Job {
        /// For the answers that it was given; ended when it is done.
        var answers: ReportBudget.Lease?
        var make: @Sendable (AnswerDecoder) -> Result<Product, ReportFailure>
    }

    private let thread: ReportThread
    private let deliveries: DeliveryQueue
    /// Copies answers out of the rings, on the event loop.
    private let prepare: (Question) throws(ReportFailure) -> Job
    private let finish: (Product) throws(ReportFailure) -> Report
    private var waiting: [Question: [(Outcome) -> Void]] = [:]
    /// In the order in which they were asked.
    private var questions: [Question] = []
    private var isMaking = false

    init(
        thread: ReportThread, deliveries: DeliveryQueue,
        prepare: @escaping (Question) throws(ReportFailure) -> Job,
        finish: @escaping (Product) throws(ReportFailure) -> Report
    ) {
        self.thread = thread
        self.deliveries = deliveries
        self.prepare = prepare
        self.finish = finish
    }

    /// Calls `done` once, with a report of what is known after this call.
    func report(_ question: Question, _ done: @escaping (Outcome) -> Void) {
        if waiting[question] == nil { questions.append(question) }
        waiting[question, default: []].append(done)
        makeNext()
    }

    /// Not at once: those who were served together ask the same in this turn of the loop.
    private func makeNext() {
        guard !isMaking, !questions.isEmpty else { return }
        isMaking = true
        deliveries.add { [self] in make(questions.removeFirst()) }
    }

    private func make(_ question: Question) {
        let asking = waiting.removeValue(forKey: question) ?? []
        do throws(ReportFailure) {
            let job = try prepare(question)
            thread.run(job.make) { [self] product in
                job.answers?.end()
                end(product.flatMap(finished), asking)
            }
        } catch {
            end(.failure(error), asking)
        }
    }

    private func finished(_ product: Product) -> Outcome {
        do throws(ReportFailure) {
            return .success(try finish(product))
        } catch {
            return .failure(error)
        }
    }

    private func end(_ outcome: Outcome, _ asking: [(Outcome) -> Void]) {
        isMaking = false
        for done in asking { done(outcome) }
        makeNext()
    }
}
