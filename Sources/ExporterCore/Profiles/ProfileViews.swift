// SPDX-License-Identifier: Apache-2.0
import DequeModule
import HTTPServer
import NIOCore
import Platform
import Pprof

/// Shows profiles in other forms than the agent's: fetches captures into memory, and reads and writes them on a thread of
/// their own, one after the other. Their memory is of the budget that all reports have together.
final class ProfileViews {
    /// Memory of one view, where there is enough.
    static let maximumMemoryBytes = 96 << 20
    /// Views that are fetched or wait for the thread. Each holds its captures.
    static let maximumUnderWay = 8
    /// Memory for a capture of which nothing or less is announced.
    static let smallestCaptureBytes = 256 << 10
    /// For a client that comes when so many are.
    static let retryAfterSeconds = 5

    let limits: PprofLimits
    private let workBytes: Int
    private let downloads: Downloads
    private let sources: ReportSources
    private let path: String
    private let loop: any EventLoop
    private let thread: JobThread
    /// `nil`: nothing is recorded.
    private let stored: StoredProfiles?
    private var waiting: Deque<ProfileViewJob> = []
    private var underWay: [ObjectIdentifier: ProfileViewJob] = [:]
    private var isRendering = false
    private var outcomes: [String: UInt64] = [:]

    /// The thread is there from now on: it could not be made when the first view comes at the limit of tasks.
    init(
        _ downloads: Downloads, _ sources: ReportSources, path: String, _ stored: StoredProfiles?
    ) throws(SystemError) {
        self.stored = stored
        self.downloads = downloads
        self.sources = sources
        self.path = path
        loop = downloads.loop
        // Half of the budget stays for reports.
        let memoryBytes = min(Self.maximumMemoryBytes, sources.budget.limitBytes / 2)
        limits = PprofLimits(memoryBytes: memoryBytes)
        workBytes = memoryBytes - 2 * limits.compressedBytes
        thread = try JobThread(name: "profile-view")
    }

    deinit { thread.stop() }

    func begin(
        _ question: ProfileQuestion, _ shown: CaptureSource, base: CaptureSource?, _ responder: HTTPResponder
    ) {
        if responder.request.isHead {
            return responder.respond(
                status: 200, contentType: question.format.contentType, headers: Self.fields(question, shown),
                body: .unmade, compression: .declined)
        }
        guard underWay.count < Self.maximumUnderWay else {
            count("busy")
            return responder.respond(
                status: 503, text: "\(underWay.count) profiles are being read for others: try again later",
                headers: [("Retry-After", "\(Self.retryAfterSeconds)")])
        }
        let captureBytes = Self.captureBytes(announced: [shown, base].compactMap { $0?.expectedBytes }, limits)
        let lease: ReportBudget.Lease
        do throws(ReportFailure) {
            lease = try sources.budget.reserve(answerBytes: captureBytes * (base == nil ? 1 : 2))
        } catch {
            count("no_memory")
            return sources.refuse(error, path, to: responder)
        }
        let job = ProfileViewJob(question, shown, base: base, lease, captureBytes: captureBytes, responder)
        underWay[ObjectIdentifier(job)] = job
        responder.onClose = { [weak self, weak job] in
            guard let self, let job, underWay[ObjectIdentifier(job)] != nil else { return }
            job.cancel()
            if !job.isRendering { end(job, "client_gone") }
        }
        fetchNext(job)
    }

    /// Memory for each capture of a view: as much as was announced, within bounds.
    static func captureBytes(announced: [UInt64], _ limits: PprofLimits) -> Int {
        min(limits.compressedBytes, max(smallestCaptureBytes, Int(clamping: announced.max() ?? 0)))
    }

    // MARK: One view

    private func fetchNext(_ job: ProfileViewJob) {
        guard let next = job.next else {
            waiting.append(job)
            return renderNext()
        }
        switch next {
        case .stored(let place): fetchStored(place, job)
        case .agent(let request):
            job.fetch = downloads.fetch(request, limitBytes: job.captureBytes) { [self] outcome in
                switch outcome {
                case .success(let bytes): fetched(bytes, job)
                case .failure(let refusal): failed(refusal, request, job)
                }
            }
        }
    }

    private func fetched(_ bytes: [UInt8], _ job: ProfileViewJob) {
        job.fetched.append(bytes)
        fetchNext(job)
    }

    private func failed(_ refusal: DownloadRefusal, _ request: DownloadRequest, _ job: ProfileViewJob) {
        if refusal.failure == .tooLarge {
            // The agent may have announced less than it sends.
            return job.captureBytes < limits.compressedBytes ? widen(job) : refuse(refusal, job)
        }
        guard let stored else { return refuse(refusal, job) }
        stored.find(podName: request.podName, profileID: request.profileID, type: request.type) { [self] found in
            guard underWay[ObjectIdentifier(job)] != nil else { return }
            guard case .success(let place?) = found else { return refuse(refusal, job) }
            fetchStored(place, job)
        }
    }

    /// Takes memory for the largest captures, and asks again.
    private func widen(_ job: ProfileViewJob) {
        do throws(ReportFailure) {
            let more = (limits.compressedBytes - job.captureBytes) * job.captureCount
            job.leases.append(try sources.budget.reserve(answerBytes: more))
            job.captureBytes = limits.compressedBytes
        } catch {
            sources.refuse(error, path, to: job.responder)
            return end(job, "no_memory")
        }
        fetchNext(job)
    }

    private func fetchStored(_ place: StoredProfiles.Place, _ job: ProfileViewJob) {
        guard let stored else { return }
        if place.byteCount > job.captureBytes, place.byteCount <= limits.compressedBytes {
            // It is larger than its agent had announced: what is next is the same capture again.
            return widen(job)
        }
        stored.fetch(place, limitBytes: job.captureBytes) { [self] outcome in
            guard underWay[ObjectIdentifier(job)] != nil else { return }
            switch outcome {
            case .success(let bytes): fetched(bytes, job)
            case .failure(let refusal):
                sources.refuse(refusal, path, to: job.responder)
                end(job, "fetch_failed")
            }
        }
    }

    private func refuse(_ refusal: DownloadRefusal, _ job: ProfileViewJob) {
        refusal.answer(job.responder)
        end(job, "fetch_failed")
    }

    private func renderNext() {
        guard !isRendering, let job = waiting.popFirst() else { return }
        guard underWay[ObjectIdentifier(job)] != nil else { return renderNext() }
        let lease: ReportBudget.Lease
        do throws(ReportFailure) {
            lease = try sources.budget.reserve(answerBytes: workBytes)
        } catch {
            sources.refuse(error, path, to: job.responder)
            end(job, "no_memory")
            return renderNext()
        }
        isRendering = true
        job.isRendering = true
        let finish = NIOLoopBound(
            { [self] (outcome: ProfileViewJob.Outcome) in
                lease.end()
                isRendering = false
                answer(job, outcome)
                renderNext()
            }, eventLoop: loop)
        let work = job.work(limits)
        thread.run { [loop] in
            let outcome = work()
            loop.execute { finish.value(outcome) }
        }
    }

    private func answer(_ job: ProfileViewJob, _ outcome: ProfileViewJob.Outcome) {
        guard !job.responder.isClosed else { return end(job, "client_gone") }
        switch outcome {
        case .failure(let error):
            job.responder.respond(
                status: error.cause == .unknownSampleType ? 400 : DownloadRefusal.unprocessable, text: error.text)
            end(job, error.cause.rawValue)
        case .success(let text):
            do throws(ReportFailure) {
                let report = try FinishedReport(MadeReport(text), sources.budget)
                end(job, "completed")
                job.responder.holdsReport = report.isHeld
                job.responder.respond(
                    status: 200, contentType: job.question.format.contentType,
                    headers: Self.fields(job.question, job.shown), body: report.body, compression: .whenAccepted)
            } catch {
                sources.refuse(error, path, to: job.responder)
                end(job, "no_memory")
            }
        }
    }

    private func end(_ job: ProfileViewJob, _ outcome: String) {
        guard underWay.removeValue(forKey: ObjectIdentifier(job)) != nil else { return }
        job.responder.onClose = nil
        for lease in job.leases { lease.end() }
        count(outcome)
    }

    private func count(_ outcome: String) { outcomes[outcome, default: 0] += 1 }

    /// A picture that is opened by itself loads and runs nothing, whatever names it shows.
    private static func fields(_ question: ProfileQuestion, _ shown: CaptureSource) -> [(String, String)] {
        [
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            ("Content-Disposition", shown.name.disposition(as: question.format)),
        ]
    }
}

extension ProfileViews: MetricSource {
    private static let otherOutcomes = ["busy", "client_gone", "completed", "fetch_failed", "no_memory"]

    func addMetrics(to families: inout FamilyBuilder) {
        let all = (Self.otherOutcomes + PprofError.Cause.allCases.map(\.rawValue)).sorted()
        families.add(
            "fodc_proxy_profile_views_total", .counter,
            "Requests for a profile as picture, table or data for other tools, by outcome.",
            all.map { ([("outcome", $0)], Double(outcomes[$0] ?? 0)) })
    }
}
