// SPDX-License-Identifier: Apache-2.0
import CRevision
import ExporterCore
import WorkerLink
import WorkerRuntime

WorkerProcess.run(readablePaths: ExporterWorker.readablePaths) { launch, loop, logger in
    guard case .exporter(let lanes) = launch.descriptors.lanes else {
        throw WorkerLaunchError("fodc-exporter was started as \(launch.name)")
    }
    return try ExporterWorker(
        launch: launch, lanes: lanes, loop: loop, logger: logger, revision: String(cString: fodc_revision()))
}
