// SPDX-License-Identifier: Apache-2.0
import Platform
import Rings
import WorkerLink

/// The name of a descriptor in systemd's store: `ROLE-INDEX.GENERATION`, such as `data-3.7`. The generation rises with
/// each new descriptor in the same place, so that a name never comes twice.
struct StoredDescriptorName: Hashable, Sendable, CustomStringConvertible {
    enum Role: String, CaseIterable, Sendable {
        /// Rings.
        case data
        case commandA = "commanda"
        case commandB = "commandb"
        case state
        /// The recorder's own ring.
        case recorder
        /// The table of workers.
        case control
        /// The purpose of a descriptor that a supervisor leaves for the next one.
        case record
        /// From which ids of agents are derived.
        case secret
        /// Listening sockets that this program has opened. Those of socket units are called by the role alone.
        case grpc
        case grpcTLS = "grpctls"
        case http

        /// The kind of a ring; `nil`: it is not a ring.
        var ringKind: RingKind? {
            switch self {
            case .data: .data
            case .commandA, .commandB: .command
            case .state, .recorder: .state
            case .control, .record, .secret, .grpc, .grpcTLS, .http: nil
            }
        }

        var isSocket: Bool { ListeningPlace.of(self) != nil }

        /// How many there can be.
        var limitCount: Int {
            switch self {
            case .data, .commandA, .commandB: WorkerLaunch.limitWorkers
            case .state, .recorder, .control, .record, .secret, .grpc, .grpcTLS, .http: 1
            }
        }
    }

    /// The purpose of a descriptor, whichever generation it is of.
    struct Place: Hashable, Sendable {
        var role: Role
        var index: Int

        init(_ role: Role, _ index: Int = 0) {
            (self.role, self.index) = (role, index)
        }
    }

    /// Far more than any service counts to. Names beyond it are not ours: whoever counts on from here never comes to the
    /// end of the numbers.
    static let limitGeneration: UInt64 = .max / 2

    let place: Place
    /// From 1.
    let generation: UInt64

    init(_ role: Role, _ index: Int = 0, generation: UInt64) {
        precondition(
            (0..<role.limitCount).contains(index) && generation >= 1,
            "there is no such place")
        place = Place(role, index)
        self.generation = generation
    }

    /// `nil` for anything that ``description`` would not have written.
    init?(_ text: String) {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, let role = Role(rawValue: String(halves[0])) else { return nil }
        let numbers = halves[1].split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 2, let index = Int(numbers[0]), let generation = UInt64(numbers[1]),
            (0..<role.limitCount).contains(index), (1...Self.limitGeneration).contains(generation)
        else { return nil }
        self.init(role, index, generation: generation)
        // Signs and leading zeros: one descriptor, one name.
        guard description == text else { return nil }
    }

    var description: String { "\(place.role.rawValue)-\(place.index).\(generation)" }
}
