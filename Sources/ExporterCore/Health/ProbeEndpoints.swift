// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Rings

/// `GET /-/healthy` and `GET /-/ready`, the paths that Prometheus' own programs have for probes. `/health` says why.
struct ProbeEndpoints {
    private let control: WorkerTableReader
    private let ingestEndpoints: IngestEndpoints
    private let isDraining: () -> Bool

    init(control: WorkerTableReader, ingestEndpoints: IngestEndpoints, isDraining: @escaping () -> Bool) {
        self.control = control
        self.ingestEndpoints = ingestEndpoints
        self.isDraining = isDraining
    }

    /// 200: the exporter answers.
    func healthy(_ request: HTTPRequest, _ responder: HTTPResponder) {
        responder.respond(status: 200, text: "fodc-proxy is healthy")
    }

    /// 200 while the service takes agents and scrapes, else 503 with the reason.
    func ready(_ request: HTTPRequest, _ responder: HTTPResponder) {
        if isDraining() {
            responder.respond(status: 503, text: "fodc-proxy is not ready: it is draining")
        } else if !ingestEndpoints.all.contains(where: { control.worker(.ingest, $0.index).state == .running }) {
            responder.respond(status: 503, text: "fodc-proxy is not ready: no ingest worker is running")
        } else {
            responder.respond(status: 200, text: "fodc-proxy is ready")
        }
    }
}
