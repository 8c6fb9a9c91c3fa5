// SPDX-License-Identifier: Apache-2.0
import BlackBox
import BlackBoxReports
import Database
import Metrics

extension SeriesHistory.Format {
    var contentType: String {
        switch self {
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .json: "application/json"
        }
    }
}

extension StreamedAnswer {
    static let bundleType = "application/gzip"

    /// Samples as text.
    init(_ query: ExportQuery, _ reader: BlackBoxReader) throws(BlackBoxRefusal) {
        do throws(DatabaseError) {
            let plan = try reader.plan(query)
            head = Head(contentType: query.format.contentType, fields: [("Cache-Control", "no-store")])
            head.stored.damagedParts = Int(clamping: plan.damagedCount)
            write = { output throws(DatabaseError) in try reader.write(plan, to: output) }
        } catch {
            throw BlackBoxRefusal(error)
        }
    }

    /// An incident's bundle.
    init(bundleOf id: String, _ reader: BlackBoxReader, maximumPoints: Int) throws(BlackBoxRefusal) {
        let bundle: IncidentBundle?
        do throws(DatabaseError) {
            bundle = try IncidentBundle(of: id, reader, maximumPoints: maximumPoints)
        } catch {
            throw BlackBoxRefusal(error)
        }
        guard let bundle else { throw .unknownIncident(id) }
        head = Head(
            contentType: Self.bundleType,
            fields: [
                ("Cache-Control", "no-store"),
                ("Content-Disposition", "attachment; filename=\"\(bundle.name).tar.gz\""),
            ],
            compression: .never)
        write = { output throws(DatabaseError) in try bundle.write { output([UInt8]($0)) } }
    }
}
