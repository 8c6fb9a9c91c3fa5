// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Platform

/// The parameters of a request to `/fleet` or `/ui/`: `role`, `tier`, `state`, `text`, `sort`, `limit`, `cursor` and `format`.
struct FleetFilter: Equatable {
    enum Order: String, CaseIterable {
        /// Failing nodes first, by their names.
        case state
        case name
        case series
        case age
        case memory
        case cpu
    }

    /// Rows of an answer at most, because all are made at once.
    static let maximumLimit = 1000
    static let usualLimit = 100
    /// `state=failing`: all that are not online.
    static let failing = "failing"

    var role = ""
    var tier = ""
    /// Empty: all.
    var states: Set<NodeState> = Set(NodeState.allCases)
    var stateText = ""
    var text = ""
    var order = Order.state
    var isReversed = false
    var limit = FleetFilter.usualLimit
    /// Rows that are left out at the beginning.
    var skipped = 0
    /// As CSV, not as JSON.
    var isCSV = false

    /// An empty value counts as not given: forms send what is not filled in.
    static func parse(_ request: HTTPRequest) -> Result<FleetFilter, RequestMistake> {
        var filter = FleetFilter()
        for parameter in request.query where !parameter.value.isEmpty {
            do throws(RequestMistake) {
                try filter.take(parameter)
            } catch {
                return .failure(error)
            }
        }
        return .success(filter)
    }

    private mutating func take(_ parameter: HTTPQueryParameter) throws(RequestMistake) {
        let value = parameter.value
        switch parameter.name {
        case "role": role = value.lowercased()
        case "tier": tier = value.lowercased()
        case "text": text = value.lowercased()
        case "state":
            if value == Self.failing {
                states = Set(NodeState.allCases).subtracting([.online])
            } else if let state = NodeState(rawValue: value) {
                states = [state]
            } else {
                throw RequestMistake(
                    text: "state \(value.quoted()) must be \(Self.failing), "
                        + NodeState.allCases.map(\.rawValue).joined(separator: ", "))
            }
            stateText = value
        case "sort":
            isReversed = value.hasPrefix("-")
            guard let order = Order(rawValue: isReversed ? String(value.dropFirst()) : value) else {
                throw RequestMistake(
                    text: "sort \(value.quoted()) must be one of "
                        + Order.allCases.map(\.rawValue).joined(separator: ", ") + ", or that after a minus sign")
            }
            self.order = order
        case "limit":
            guard let limit = Int(value), (1...Self.maximumLimit).contains(limit) else {
                throw RequestMistake(text: "limit \(value.quoted()) must be 1 to \(Self.maximumLimit)")
            }
            self.limit = limit
        case "cursor":
            guard let skipped = Int(value), (0...Int(Int32.max)).contains(skipped) else {
                throw RequestMistake(text: "cursor \(value.quoted()) must be the next_cursor of an earlier answer")
            }
            self.skipped = skipped
        case "format":
            guard let isCSV = ["json": false, "csv": true][value] else {
                throw RequestMistake(text: "format \(value.quoted()) must be json or csv")
            }
            self.isCSV = isCSV
        default: break
        }
    }

    func matches(_ row: FleetRow) -> Bool {
        guard states.contains(row.state) else { return false }
        if !role.isEmpty, row.role.lowercased() != role, row.shortRole != role { return false }
        if !tier.isEmpty, row.tier.lowercased() != tier { return false }
        if text.isEmpty { return true }
        return [row.podName, row.role, row.tier, row.zone, row.address, row.agentID, row.why].contains {
            // Foundation's `contains` would bring its 34 MB of Unicode data into the program.
            $0.lowercased().firstRange(of: text) != nil
        }
    }

    /// The parameters, for links that change one of them.
    var parameters: [(name: String, value: String)] {
        let sort = (isReversed ? "-" : "") + order.rawValue
        return [
            ("role", role), ("tier", tier), ("state", stateText), ("text", text),
            ("sort", sort == Order.state.rawValue ? "" : sort), ("limit", limit == Self.usualLimit ? "" : "\(limit)"),
            ("cursor", skipped == 0 ? "" : "\(skipped)"),
        ].filter { !$0.1.isEmpty }
    }
}
