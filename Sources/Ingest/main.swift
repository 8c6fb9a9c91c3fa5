// SPDX-License-Identifier: Apache-2.0
import IngestCore
import WorkerLink
import WorkerRuntime

WorkerProcess.run(
    check: IngestWorker.check, checkFiles: IngestWorker.checkFiles, readablePaths: IngestWorker.readablePaths
) { launch, loop, logger in
    guard case .ingest(let rings) = launch.descriptors.rings else {
        throw WorkerLaunchError("fodc-ingest was started as \(launch.name)")
    }
    return try IngestWorker(launch: launch, rings: rings, loop: loop, logger: logger)
}
