// SPDX-License-Identifier: Apache-2.0
import CRevision
import ExporterCore
import WorkerLink
import WorkerRuntime

WorkerProcess.run(checkFiles: ExporterWorker.checkFiles, readablePaths: ExporterWorker.readablePaths) {
    launch, loop, logger in
    guard case .exporter(let rings) = launch.descriptors.rings else {
        throw WorkerLaunchError("fodc-exporter was started as \(launch.name)")
    }
    return try ExporterWorker(
        launch: launch, rings: rings, loop: loop, logger: logger, revision: String(cString: fodc_revision()))
}
