// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Platform

/// The fleet as a page that is whole without JavaScript; `fleet.js` keeps it up to date from `/fleet`, in the same form.
struct FleetPage {
    var selection: FleetSelection
    var filter: FleetFilter
    var tracks: [String: FleetHistory.Track]
    /// Wall clock: the ages are those of this time.
    var nowNanoseconds: Int64

    static let frame = PageFrame(title: "Fleet", tab: .fleet, scripts: ["fleet.js"])

    func append(to page: inout Markup) {
        tiles(&page)
        form(&page)
        page.element("div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Nodes"]) { page in
            page.element("table", ["class": "fleet"]) { page in
                heading(&page)
                page.element("tbody", ["id": "rows"]) { page in
                    for row in selection.rows { self.row(row, &page) }
                }
            }
        }
        page.element("p", ["id": "empty"], selection.rows.isEmpty ? emptyText : "")
        pager(&page)
    }

    private var emptyText: String {
        let all = selection.counts.values.reduce(0, +)
        return all == 0
            ? "No agent has registered yet. Agents connect to the gRPC port of this proxy."
            : "None of the \(all) nodes matches the filter."
    }

    // MARK: Above the table

    private func tiles(_ page: inout Markup) {
        page.element("ul", ["class": "tiles", "id": "tiles"]) { page in
            for state in NodeState.allCases {
                let count = selection.counts[state] ?? 0
                page.element("li") { page in
                    page.element(
                        "a",
                        [
                            "class": "tile state-\(state.rawValue)\(count == 0 ? " zero" : "")",
                            "href": "./?state=\(state.rawValue)",
                        ]
                    ) { page in
                        page.element("b", "\(count)")
                        page.text(" ")
                        page.element("span") { page in
                            page.element("span", ["class": "sign", "aria-hidden": "true"], state.sign)
                            page.text(" \(state.rawValue)")
                        }
                    }
                }
            }
        }
    }

    private func form(_ page: inout Markup) {
        page.element("form", ["class": "filter", "id": "filter", "role": "search", "action": "./"]) { page in
            page.element("label") { page in
                page.text("Text ")
                page.void("input", ["type": "search", "name": "text", "value": filter.text])
            }
            select("Role", "role", selection.roles.map { ($0.lowercased(), $0) }, filter.role, &page)
            select("Tier", "tier", selection.tiers.map { ($0.lowercased(), $0) }, filter.tier, &page)
            let states = [FleetFilter.failing] + NodeState.allCases.map(\.rawValue)
            select("State", "state", states.map { ($0, $0) }, filter.stateText, &page)
            let orders = FleetFilter.Order.allCases.map { ($0.rawValue, $0 == .age ? "oldest sample" : $0.rawValue) }
            select("Sort", "sort", orders, filter.order.rawValue, isOptional: false, &page)
            page.element("button", "Show")
            page.element("a", ["href": "./", "class": "button"], "Reset")
        }
    }

    private func select(
        _ title: String, _ name: String, _ options: [(value: String, text: String)], _ chosen: String,
        isOptional: Bool = true, _ page: inout Markup
    ) {
        page.element("label") { page in
            page.text("\(title) ")
            page.element("select", ["name": name]) { page in
                if isOptional { page.element("option", ["value": ""], "all") }
                for option in options {
                    if option.value == chosen {
                        page.element("option", ["value": option.value, "selected": ""], option.text)
                    } else {
                        page.element("option", ["value": option.value], option.text)
                    }
                }
            }
        }
    }

    // MARK: The table

    private func heading(_ page: inout Markup) {
        page.element("thead") { page in
            page.element("tr") { page in
                for name in ["State", "Node", "Tier", "Zone", "Streams", "Worker"] {
                    page.element("th", ["scope": "col"], name)
                }
                for name in ["Last sample", "Series", "CPU", "Memory", "Restarts", "Incidents"] {
                    page.element("th", ["scope": "col", "class": "figure"], name)
                }
            }
        }
    }

    private func row(_ row: FleetRow, _ page: inout Markup) {
        let track = tracks[row.podName]
        page.element("tr", ["class": "state-\(row.state.rawValue)"]) { page in
            page.element("td", ["class": "state"]) { page in
                page.element("span", ["class": "sign", "aria-hidden": "true"], row.state.sign)
                page.text(" \(row.state.rawValue)")
            }
            page.element("th", ["scope": "row"]) { page in
                page.element("a", ["href": "node?pod_name=\(Markup.percentEncoded(row.podName))"], row.podName)
                if !row.why.isEmpty { page.element("small", row.why + since(row)) }
            }
            page.element("td", row.tier)
            page.element("td", row.zone)
            page.element("td", ["title": row.streams.joined(separator: ", ")], "\(row.streams.count)")
            page.element("td", row.ingestWorker.map { "ingest-\($0)" } ?? "")
            page.element("td", ["class": "figure"], row.lastSampleAtNanoseconds.map(age) ?? "never")
            page.element("td", ["class": "figure"], Figures.count(row.series))
            spark(track?.cpuCores ?? [], "CPU", Figures.cores, &page)
            spark(track?.memoryBytes ?? [], "Memory", Figures.bytes, &page)
            page.element("td", ["class": "figure"], row.restarts.map { "\($0)" } ?? "–")
            page.element("td", ["class": "figure"], row.openIncidents.map { "\($0)" } ?? "–")
        }
    }

    private func since(_ row: FleetRow) -> String {
        row.sinceNanoseconds == 0 ? "" : ", \(age(row.sinceNanoseconds)) ago"
    }

    private func age(_ nanoseconds: Int64) -> String {
        Figures.age(seconds: nowNanoseconds.subtractingClamped(nanoseconds) / 1_000_000_000)
    }

    /// The newest value, and the last half hour as a line.
    private func spark(_ values: [Float], _ name: String, _ figure: (Double) -> String, _ page: inout Markup) {
        page.element("td", ["class": "figure spark"]) { page in
            guard let newest = values.last(where: { !$0.isNaN }) else { return page.text("–") }
            page.append(Sparkline.svg(values))
            page.element("span", figure(Double(newest)))
        }
    }

    // MARK: Below the table

    private func pager(_ page: inout Markup) {
        page.element("nav", ["class": "pager", "id": "pager", "aria-label": "Pages of the list"]) { page in
            let first = selection.rows.isEmpty ? 0 : filter.skipped + 1
            page.element("span", "\(first)–\(filter.skipped + selection.rows.count) of \(selection.matching)")
            if filter.skipped > 0 {
                page.element("a", ["href": link(cursor: max(0, filter.skipped - filter.limit))], "Previous")
            }
            if let next = selection.next { page.element("a", ["href": link(cursor: next)], "Next") }
            page.element("a", ["href": "../fleet" + query(filter.parameters + [("format", "csv")])], "CSV")
        }
    }

    private func link(cursor: Int) -> String {
        "./" + query(filter.parameters.filter { $0.name != "cursor" } + (cursor > 0 ? [("cursor", "\(cursor)")] : []))
    }

    private func query(_ parameters: [(name: String, value: String)]) -> String {
        "?" + parameters.map { "\($0.name)=\(Markup.percentEncoded($0.value))" }.joined(separator: "&")
    }
}
