// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Platform
import Reports

/// The filters of `/cluster`: `role`, `pod_name`, `status` and `label.KEY=VALUE`; all that are given must hold.
struct ClusterFilter: Hashable {
    private static let labelPrefix = "label."
    private static let statuses = ["online", "unconnected"]

    struct Label: Hashable {
        var key: ExactText
        var value: ExactText
    }

    private(set) var role: ExactText?
    private(set) var podName: ExactText?
    private(set) var isOnline: Bool?
    private(set) var labels: [Label] = []

    static func parse(_ request: HTTPRequest) -> Result<ClusterFilter, RequestMistake> {
        var filter = ClusterFilter()
        for parameter in request.query where !parameter.value.isEmpty || parameter.name.hasPrefix(labelPrefix) {
            switch parameter.name {
            case "role": filter.role = ExactText(parameter.value.lowercased())
            case "pod_name": filter.podName = ExactText(parameter.value.lowercased())
            case "status":
                guard statuses.contains(parameter.value) else {
                    return .failure(
                        RequestMistake(text: "status \(parameter.value.quoted()) must be online or unconnected"))
                }
                filter.isOnline = parameter.value == statuses[0]
            case let name where name.hasPrefix(labelPrefix):
                let key = String(name.dropFirst(labelPrefix.count))
                guard !key.isEmpty, !parameter.value.isEmpty else {
                    let given = "\(name)=\(parameter.value)".quoted()
                    return .failure(
                        RequestMistake(text: "\(given) must be label.KEY=VALUE, such as label.type=hot"))
                }
                filter.labels.append(Label(key: ExactText(key), value: ExactText(parameter.value)))
            case "label":
                return .failure(RequestMistake(text: "\"label\" must be label.KEY=VALUE, such as label.type=hot"))
            default: continue
            }
        }
        return .success(filter)
    }

    func matches(_ node: ClusterReport.Node) -> Bool {
        (role.map { $0 == ExactText(node.reporter.role.lowercased()) } ?? true)
            && (podName.map { $0 == ExactText(node.reporter.podName.lowercased()) } ?? true)
            && (isOnline.map { $0 == node.isOnline } ?? true)
            && labels.allSatisfy { label in
                node.labels[label.key.text].map { ExactText($0) == label.value } ?? false
            }
    }
}
