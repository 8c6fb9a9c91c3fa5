// SPDX-License-Identifier: Apache-2.0

/// `GET /`: the endpoints, for people. A page for browsers, text for everything else; nothing in it comes from agents.
enum HomePage {
    static let title = "FODC proxy"
    static let htmlType = "text/html; charset=utf-8"
    static let textType = "text/plain; charset=utf-8"

    /// Header fields of either form: caches keep the two apart, and the page loads nothing from anywhere.
    static let fields = [
        ("Vary", "Accept"), ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ]

    /// Columns of the list as text; paths that are longer push their line out.
    private static let pathColumnWidth = 24
    private static let parameterColumnWidth = 14

    /// Of each endpoint that has a summary.
    static func html(_ endpoints: [Endpoint], version: String) -> String {
        let items: [String] = endpoints.compactMap { endpoint in
            guard let summary = endpoint.summary else { return nil }
            // Relative, so that the links also work where a gateway puts the proxy below a path of its own.
            let path =
                endpoint.isConcrete
                ? "<a href=\"\(escape(String(endpoint.path.dropFirst())))\">\(escape(endpoint.path))</a>"
                : escape(endpoint.path)
            return """
                <li><h2>\(path)</h2>
                <p>\(escape(summary))</p>\(parameterList(endpoint.parameters))</li>
                """
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <style>\(style)</style>
            </head>
            <body>
            <main>
            <header><h1>\(title)</h1><span>\(escape(version))</span></header>
            <ul>
            \(items.joined(separator: "\n"))
            </ul>
            </main>
            </body>
            </html>

            """
    }

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

    /// Whether a client that sent this `Accept` is better served with the page: it names HTML, and does not like plain
    /// text better. `*/*`, which command line tools send, names nothing.
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

    // MARK: Parts

    private static func parameterList(_ parameters: [Endpoint.Parameter]) -> String {
        guard !parameters.isEmpty else { return "" }
        let rows = parameters.map { "<dt>\(escape($0.name))</dt><dd>\(escape($0.meaning))</dd>" }
        return "\n<dl>\(rows.joined())</dl>"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(2, width - text.utf8.count))
    }

    private static func trim(_ text: Substring) -> Substring {
        var kept = text.drop { $0 == " " || $0 == "\t" }
        while let last = kept.last, last == " " || last == "\t" { kept.removeLast() }
        return kept
    }

    private static func escape(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
        return out
    }

    private static let style = """

        :root { color-scheme: light dark; --text: #1d2330; --soft: #5d677a; --back: #f6f7f9; --card: #fff; \
        --line: #dfe3ea; --link: #0b5cad }
        @media (prefers-color-scheme: dark) { :root { --text: #e4e8ef; --soft: #98a3b5; --back: #13161c; \
        --card: #1b2029; --line: #2c3340; --link: #7ab8ff } }
        * { box-sizing: border-box; margin: 0 }
        body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back) }
        main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1.25rem }
        header { display: flex; align-items: baseline; gap: .75rem; margin-bottom: 1.25rem }
        h1 { font-size: 1.6rem } header span, dd, p { color: var(--soft) }
        ul { list-style: none; padding: 0; border: 1px solid var(--line); border-radius: .6rem; \
        background: var(--card) }
        li { padding: .8rem 1.1rem } li + li { border-top: 1px solid var(--line) }
        h2, dt { font: 600 .95rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
        a { color: var(--link); text-decoration: none } a:hover, a:focus { text-decoration: underline }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin-top: .35rem; font-size: .875rem }
        dt { font-weight: 400; font-size: .85rem }

        """
}
