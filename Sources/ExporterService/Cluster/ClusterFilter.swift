// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Platform
import Reports

/// The filters of `/cluster`: `role`, `pod_name`, `status` and `label.KEY=VALUE`; all that are given must hold.
struct ClusterFilter {
    struct Mistake: Error, Equatable {
        var text: String
    }

    private static let labelPrefix = "label."
    private static let statuses = ["online", "unconnected"]

    private(set) var role: String?
    private(set) var podName: String?
    private(set) var isOnline: Bool?
    private(set) var labels: [(key: String, value: String)] = []

    static func parse(_ request: HTTPRequest) -> Result<ClusterFilter, Mistake> {
        var filter = ClusterFilter()
        for parameter in request.query where !parameter.value.isEmpty || parameter.name.hasPrefix(labelPrefix) {
            switch parameter.name {
            case "role": filter.role = parameter.value.lowercased()
            case "pod_name": filter.podName = parameter.value.lowercased()
            case "status":
                guard statuses.contains(parameter.value) else {
                    return .failure(Mistake(text: "status \(quoted(parameter.value)) must be online or unconnected"))
                }
                filter.isOnline = parameter.value == statuses[0]
            case let name where name.hasPrefix(labelPrefix):
                let key = String(name.dropFirst(labelPrefix.count))
                guard !key.isEmpty, !parameter.value.isEmpty else {
                    return .failure(
                        Mistake(
                            text:
                                "\(quoted("\(name)=\(parameter.value)")) must be label.KEY=VALUE, such as label.type=hot"
                        ))
                }
                filter.labels.append((key, parameter.value))
            case "label":
                return .failure(Mistake(text: "\"label\" must be label.KEY=VALUE, such as label.type=hot"))
            default: continue
            }
        }
        return .success(filter)
    }

    func matches(_ node: ClusterReport.Node) -> Bool {
        (role.map { ExactText.areEqual($0, node.reporter.role.lowercased()) } ?? true)
            && (podName.map { ExactText.areEqual($0, node.reporter.podName.lowercased()) } ?? true)
            && (isOnline.map { $0 == node.isOnline } ?? true)
            && labels.allSatisfy { label in
                node.labels[label.key].map { ExactText.areEqual($0, label.value) } ?? false
            }
    }

    private static func quoted(_ text: String) -> String { text.prefix(128).debugDescription }
}
