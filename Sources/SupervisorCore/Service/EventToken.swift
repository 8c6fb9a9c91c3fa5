// SPDX-License-Identifier: Apache-2.0

/// The source of a readable descriptor, as the number that the event queue carries.
struct EventToken: Equatable {
    static let timer = EventToken(rawValue: 0)
    static let signals = EventToken(rawValue: 1)
    /// systemd has taken what it was told to keep.
    static let barrier = EventToken(rawValue: 2)
    /// A program that was asked whether it would do.
    static let check = EventToken(rawValue: 3)
    private static let firstWorker: UInt64 = 1 << 32
    /// From here on ``ControlServer`` says which.
    static let firstControl: UInt64 = 1 << 48

    let rawValue: UInt64

    /// Of a worker's process; ``link`` is that of its socket.
    init(worker number: UInt64) {
        rawValue = Self.firstWorker + number * 2
    }

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    var process: EventToken { self }
    var link: EventToken { EventToken(rawValue: rawValue + 1) }

    /// The worker's number, and whether its socket is meant; `nil` for the others.
    var worker: (number: UInt64, isLink: Bool)? {
        guard rawValue >= Self.firstWorker, rawValue < Self.firstControl else { return nil }
        let rest = rawValue - Self.firstWorker
        return (rest / 2, rest % 2 == 1)
    }
}
