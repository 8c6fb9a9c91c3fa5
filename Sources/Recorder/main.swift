// SPDX-License-Identifier: Apache-2.0
import RecorderCore
import Settings
import WorkerLink
import WorkerRuntime

WorkerProcess.run { launch, loop, logger in
    guard case .recorder(let rings) = launch.descriptors.rings else {
        throw WorkerLaunchError("fodc-recorder was started as \(launch.name)")
    }
    return try RecorderWorker(launch: launch, rings: rings, loop: loop, logger: logger)
}
