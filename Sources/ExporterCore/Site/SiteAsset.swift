// SPDX-License-Identifier: Apache-2.0
import CChartLibrary
import Gzip
import HTTPServer
import NIOCore

/// A file of the pages, with its compressed form, which is made once.
struct SiteAsset {
    static let chartScript = "dygraph.min.js"
    static let chartStyle = "dygraph.min.css"
    /// A script or picture is used for so long without being asked for again; pages are asked for each time.
    static let maximumAgeSeconds = 60

    let contentType: String
    private let bytes: ByteBuffer
    private let compressed: ByteBuffer
    private let tag: String

    init(contentType: String, _ bytes: ByteBuffer) {
        self.contentType = contentType
        self.bytes = bytes
        compressed = GzipStream.compress(bytes)
        tag = TaggedAnswer.tag(of: bytes)
    }

    func respond(_ request: HTTPRequest, _ responder: HTTPResponder) {
        TaggedAnswer.respond(
            to: request, responder, contentType: contentType, tag: tag,
            headers: [("X-Content-Type-Options", "nosniff")], maximumAgeSeconds: Self.maximumAgeSeconds,
            precompressed: compressed, bytes)
    }

    /// All of them by name.
    static func all() -> [String: SiteAsset] {
        var assets: [String: SiteAsset] = [:]
        for file in SiteFiles.files {
            assets[file.name] = SiteAsset(contentType: file.contentType, ByteBuffer(string: file.text))
        }
        var script = [UInt8](repeating: 0, count: fodc_chart_script_bytes())
        fodc_copy_chart_script(&script)
        assets[chartScript] = SiteAsset(contentType: "text/javascript; charset=utf-8", withoutMap(script))
        var style = [UInt8](repeating: 0, count: fodc_chart_style_bytes())
        fodc_copy_chart_style(&style)
        assets[chartStyle] = SiteAsset(contentType: "text/css; charset=utf-8", withoutMap(style))
        return assets
    }

    /// Without the comment at the end, which names a file that is not served: browsers' tools would ask for it.
    private static func withoutMap(_ bytes: [UInt8]) -> ByteBuffer {
        let mark = Array("# sourceMappingURL=".utf8)
        // The mark, and what begins the comment, stand in the last bytes.
        let last = bytes.suffix(longestMapCommentBytes)
        guard let found = last.indices.last(where: { bytes[$0...].starts(with: mark) }) else {
            return ByteBuffer(bytes: bytes)
        }
        return ByteBuffer(bytes: bytes[..<max(0, found - 2)])
    }

    private static let longestMapCommentBytes = 128
}
