// SPDX-License-Identifier: Apache-2.0

/// The list of endpoints, for people: text at `/`, a page at `/ui/endpoints`. Nothing in it comes from agents.
enum HomePage {
    static let title = "FODC proxy"
    static let textType = "text/plain; charset=utf-8"
    /// Where a browser that asks for `/` is sent, relative to it.
    static let pages = "ui/"
    /// Caches keep the answers to browsers and to programs apart.
    static let fields = [("Vary", "Accept")]

    /// Columns of the list as text; paths that are longer push their line out.
    private static let pathColumnWidth = 24
    private static let parameterColumnWidth = 14

    static func text(_ endpoints: [Endpoint], version: String) -> String {
        var out = "\(title) \(version)\n\n"
        for endpoint in endpoints {
            guard let summary = endpoint.summary else { continue }
            out += "\(padded(endpoint.path, to: pathColumnWidth))\(summary)\n"
            for parameter in endpoint.parameters {
                out += "    \(padded(parameter.name, to: parameterColumnWidth))\(parameter.meaning)\n"
            }
        }
        return out
    }

    /// Appends the list of the endpoints that have a summary. Links are relative to the folder `ui/`.
    static func append(_ endpoints: [Endpoint], to page: inout Markup) {
        page.element("p") { page in
            page.text("Every path answers GET and HEAD. The exact description, for programs: ")
            page.element("a", ["href": "../openapi.yaml"], "openapi.yaml")
            page.text(".")
        }
        page.element("ul", ["class": "endpoints"]) { page in
            for endpoint in endpoints {
                guard let summary = endpoint.summary else { continue }
                page.element("li") { page in
                    page.element("h2") { page in
                        if endpoint.isConcrete {
                            page.element("a", ["href": "..\(endpoint.path)"], endpoint.path)
                        } else {
                            page.text(endpoint.path)
                        }
                    }
                    page.element("p", summary)
                    append(endpoint.parameters, to: &page)
                }
            }
        }
    }

    private static func append(_ parameters: [Endpoint.Parameter], to page: inout Markup) {
        guard !parameters.isEmpty else { return }
        page.element("dl") { page in
            for parameter in parameters {
                page.element("dt", parameter.name)
                page.element("dd", parameter.meaning)
            }
        }
    }

    /// Whether a client that sent this `Accept` is better served with pages: it names HTML, and does not like plain text
    /// better. `*/*`, which command line tools send, names nothing.
    static func prefersHTML(accept: String?) -> Bool {
        var html = 0.0
        var plain = 0.0
        for element in (accept ?? "").split(separator: ",") {
            let parts = element.split(separator: ";").map { trim($0).lowercased() }
            guard let type = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            switch type {
            case "text/html", "application/xhtml+xml": html = max(html, weight)
            case "text/plain": plain = weight
            default: break
            }
        }
        return html > 0 && html >= plain
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(2, width - text.utf8.count))
    }

    private static func trim(_ text: Substring) -> Substring {
        var kept = text.drop { $0 == " " || $0 == "\t" }
        while let last = kept.last, last == " " || last == "\t" { kept.removeLast() }
        return kept
    }
}
