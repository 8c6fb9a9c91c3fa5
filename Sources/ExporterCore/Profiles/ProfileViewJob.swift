// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Pprof

/// One view of a profile while it is fetched, waits, and is made. On the event loop, but for the closure of ``work(_:)``.
final class ProfileViewJob {
    typealias Outcome = Result<[UInt8], PprofError>

    let question: ProfileQuestion
    let shown: CaptureSource
    let responder: HTTPResponder
    /// For the captures.
    var leases: [ReportBudget.Lease]
    /// Bytes of one capture that the lease is for.
    var captureBytes: Int
    private let base: CaptureSource?

    /// The capture, and then its base.
    var fetched: [[UInt8]] = []
    var fetch: CaptureFetch?
    /// The thread has it.
    var isRendering = false

    init(
        _ question: ProfileQuestion, _ shown: CaptureSource, base: CaptureSource?, _ lease: ReportBudget.Lease,
        captureBytes: Int, _ responder: HTTPResponder
    ) {
        self.captureBytes = captureBytes
        self.question = question
        self.shown = shown
        self.base = base
        leases = [lease]
        self.responder = responder
    }

    var captureCount: Int { base == nil ? 1 : 2 }

    /// Nil when all is there.
    var next: CaptureSource? {
        switch fetched.count {
        case 0: shown
        case 1: base
        default: nil
        }
    }

    func cancel() { fetch?.cancel() }

    /// The work for the thread. The captures go with it.
    func work(_ limits: PprofLimits) -> @Sendable () -> Outcome {
        let (name, baseName) = (shown.name, base?.name)
        let capture = ProfileView.Capture(podName: name.podName, profileID: name.profileID, kind: name.type)
        // Of another pod, its name says which.
        let baseID = baseName.map { $0.podName == name.podName ? $0.profileID : "\($0.podName) \($0.profileID)" }
        let (question, captures) = (question, fetched)
        fetched = []
        return {
            do throws(PprofError) {
                let view = try ProfileView(
                    capture, captures[0], base: baseID.map { ($0, captures[1]) }, sampleType: question.sampleType,
                    limits: limits)
                return .success(try view.text(question.format))
            } catch {
                return .failure(error)
            }
        }
    }
}
