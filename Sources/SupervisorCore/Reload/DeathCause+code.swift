// SPDX-License-Identifier: Apache-2.0
import Platform

/// A cause as a word of the handover: `signal:9`. Of a hang only whether its heart stood still; the rest is in the log.
extension DeathCause {
    var code: String {
        switch self {
        case .exited(let code): "exit:\(code)"
        case .killed(let signal): "signal:\(signal)"
        case .fault(let signal, _): "fault:\(signal)"
        case .hung(.noHeartbeat): "hung"
        case .hung: "not-reading"
        case .notReady: "not-ready"
        case .requested: "requested"
        }
    }

    init?(code: some StringProtocol) {
        let halves = code.split(separator: ":")
        let number = halves.count == 2 ? Int32(halves[1]) : nil
        switch (halves.first, number) {
        case ("exit", let number?): self = .exited(code: number)
        case ("signal", let number?): self = .killed(signal: number)
        case ("fault", let number?): self = .fault(signal: number, hasDumpedCore: false)
        case ("hung", nil): self = .hung(.noHeartbeat)
        case ("not-reading", nil): self = .hung(.notReading(ring: 0))
        case ("not-ready", nil): self = .notReady
        case ("requested", nil): self = .requested
        default: return nil
        }
    }
}
