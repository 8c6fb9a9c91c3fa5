// SPDX-License-Identifier: Apache-2.0
import Lanes
import Settings

/// What outlives every worker, and, where systemd keeps it or it is handed over, the supervisor: sockets, lanes, and the
/// table of workers.
final class Estate {
    var listeners: Listeners
    var lanes: LaneSet
    /// Of the lanes.
    var layout: UInt64
    let control: ControlBoard
    /// Another program lays the lanes out: this one cannot read them.
    var isForeign: Bool { layout != LaneFormat.version }
    /// A predecessor has left it: agents and clients rely on the service.
    var isInherited: Bool { !storedNames.isEmpty }
    /// What systemd has already.
    var storedNames: Set<String>
    /// What it has and nobody needs any more.
    let obsoleteNames: [String]

    init(
        listeners: Listeners, lanes: LaneSet, layout: UInt64 = LaneFormat.version, control: ControlBoard,
        storedNames: Set<String> = [],
        obsoleteNames: [String] = []
    ) {
        self.listeners = listeners
        self.lanes = lanes
        self.layout = layout
        self.control = control
        self.storedNames = storedNames
        self.obsoleteNames = obsoleteNames
    }

    /// How many ingest workers there are to be. Somebody's `scale` holds as long as the flag is what it was then.
    func wantedWorkers(_ settings: ProxySettings) -> Int {
        let scaled = Int(clamping: control.value(.ingestWorkersWanted))
        guard control.value(.scaledFromWorkers) == UInt64(settings.ingestWorkers),
            ProxySettings.Limits.ingestWorkers.contains(scaled)
        else { return settings.ingestWorkers }
        return scaled
    }

    func setWantedWorkers(_ count: Int, settings: ProxySettings, isScaled: Bool) {
        control.set(.ingestWorkersWanted, UInt64(count))
        control.set(.scaledFromWorkers, isScaled ? UInt64(settings.ingestWorkers) : 0)
    }
}
