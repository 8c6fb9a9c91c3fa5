// SPDX-License-Identifier: Apache-2.0

/// What a readable descriptor is, as the number that the event queue carries.
struct EventToken: Equatable {
    static let timer = EventToken(rawValue: 0)
    static let signals = EventToken(rawValue: 1)
    private static let firstWorker: UInt64 = 2

    let rawValue: UInt64

    /// Of a worker's process; ``link`` is that of its socket.
    init(place: Int) {
        rawValue = Self.firstWorker + UInt64(place) * 2
    }

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    var process: EventToken { self }
    var link: EventToken { EventToken(rawValue: rawValue + 1) }

    /// The worker's place, and whether its socket is meant; `nil` for the others.
    var worker: (place: Int, isLink: Bool)? {
        guard rawValue >= Self.firstWorker else { return nil }
        let number = rawValue - Self.firstWorker
        return (Int(number / 2), number % 2 == 1)
    }
}
