// SPDX-License-Identifier: Apache-2.0
import IngestCore
import WorkerLink
import WorkerRuntime

WorkerProcess.run(check: IngestWorker.check) { launch, loop, logger in
    guard case .ingest(let lanes) = launch.descriptors.lanes else {
        throw WorkerLaunchError("fodc-ingest was started as \(launch.name)")
    }
    return try IngestWorker(launch: launch, lanes: lanes, loop: loop, logger: logger)
}
