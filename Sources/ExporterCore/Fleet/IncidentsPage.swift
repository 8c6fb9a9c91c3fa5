// SPDX-License-Identifier: Apache-2.0
import BlackBox
import Calendar
import Platform

/// The newest incidents as a page that is whole without JavaScript; `incidents.js` keeps it up to date from `/incidents`.
struct IncidentsPage {
    /// More are at `/incidents`.
    private static let maximumIncidents = 200

    static let frame = PageFrame(title: "Incidents", tab: .incidents, scripts: ["incidents.js"])

    /// `nil`: nothing is recorded.
    var records: FleetArchive.Records?
    var isRecording: Bool
    /// Wall clock.
    var nowNanoseconds: Int64

    func append(to page: inout Markup) {
        page.element("div", ["id": "content"]) { page in
            guard let records else {
                let text =
                    isRecording
                    ? "The black box is being read; load the page again."
                    : "Nothing is recorded: --record-interval is 0, or the service has no folder for the black box."
                return page.element("p", ["class": "soft"], text)
            }
            if let trouble = records.trouble { page.element("p", ["class": "notice"], trouble) }
            guard !records.incidents.isEmpty else {
                return page.element("p", ["class": "soft"], "No incident is known.")
            }
            page.element("ul", ["class": "list"]) { page in
                for incident in records.incidents.prefix(Self.maximumIncidents) { append(incident, to: &page) }
            }
        }
    }

    private func append(_ incident: Incident, to page: inout Markup) {
        let isOpen = incident.closedAtNanoseconds == nil
        page.element("li") { page in
            page.element("span", ["class": isOpen ? "badge open" : "badge closed"], isOpen ? "● open" : "○ over")
            let subject = incident.podName.isEmpty ? incident.subject : incident.podName
            let kind = incident.kind.rawValue.split(separator: "-").joined(separator: " ")
            page.element(
                "a", ["href": "incident?id=\(Markup.percentEncoded(incident.id))"], "\(kind): \(subject)")
            page.element("span", incident.cause)
            let time = RFC3339.text(EpochTime(nanosecondsSinceEpoch: incident.openedAtNanoseconds), fraction: .none)
            let age = Figures.age(
                seconds: nowNanoseconds.subtractingClamped(incident.openedAtNanoseconds) / 1_000_000_000)
            let times = incident.occurrenceCount > 1 ? ", \(incident.occurrenceCount) times" : ""
            page.element("span", ["class": "soft"], "\(time), \(age) ago\(times)")
        }
    }
}
