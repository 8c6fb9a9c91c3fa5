// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SupervisorCore

@Suite struct StatusTextTests {
    private func worker(_ name: String, ready: Bool = true) -> StatusText.Worker {
        StatusText.Worker(name: name, isReady: ready)
    }

    @Test func statusText_countsWorkersWhenAllServe() {
        #expect(
            StatusText.line(
                ingest: [worker("ingest-0"), worker("ingest-1")], exporter: worker("exporter"), listening: "x")
                == "serving: 2 ingest workers, exporter; listening on x")
    }

    @Test func statusText_namesAWorkerThatIsRestarting() {
        #expect(
            StatusText.line(
                ingest: [worker("ingest-0", ready: false), worker("ingest-1")],
                exporter: worker("exporter", ready: false),
                listening: "x") == "serving: 1 of 2 ingest workers, exporter starting; listening on x")
    }

    @Test func statusText_namesADegradedWorker() {
        let trouble = StatusText.Trouble(
            deaths: 4, overNanoseconds: 20_000_000_000, lastCause: "SIGSEGV", nextTryNanoseconds: 2_000_000_000)
        let text = StatusText.text("ingest-1", isReady: false, trouble)
        #expect(text == "ingest-1 failed 4 times in 20 s, last SIGSEGV; next try in 2 s")
        #expect(
            StatusText.line(
                ingest: [worker("ingest-0"), worker("ingest-1", ready: false)], exporter: worker("exporter"),
                listening: "x", troubles: [text, "another"])
                == "degraded: \(text); another; listening on x")
    }

    @Test func statusText_namesTheRolloutAndItsFailure() {
        #expect(
            StatusText.line(
                ingest: [worker("ingest-0")], exporter: worker("exporter"), listening: "x", underWay: "reload",
                reloadFailure: "no such file")
                == "serving: 1 ingest worker, exporter; reload under way; listening on x; "
                + "the last reload failed: no such file")
    }

    @Test(
        arguments: [
            (0, "0 s"), (49_999_999, "0 s"), (50_000_000, "0.1 s"), (250_000_000, "0.3 s"), (1_000_000_000, "1 s"),
            (9_949_999_999, "9.9 s"), (9_960_000_000, "10 s"), (61_400_000_000, "61 s"),
        ] as [(UInt64, String)])
    func statusText_writesSeconds(nanoseconds: UInt64, text: String) {
        #expect(StatusText.seconds(nanoseconds) == text)
    }

    @Test func statusText_fitsTheLimitOfSystemd() {
        let trouble = String(repeating: "ö", count: 3_000)
        let line = StatusText.line(
            ingest: [worker("ingest-0")], exporter: worker("exporter"), listening: "x", troubles: [trouble])
        #expect(line.utf8.count <= StatusText.limitBytes && line.utf8.count > StatusText.limitBytes - 4)
        #expect(line.hasPrefix("degraded: öö") && line.hasSuffix("ö…"))
        let failed = StatusText.line(
            ingest: [worker("ingest-0")], exporter: worker("exporter"), listening: "x", reloadFailure: trouble)
        #expect(failed.utf8.count < StatusText.limitReasonBytes + 100 && failed.hasPrefix("serving: 1 ingest worker"))
    }
}
