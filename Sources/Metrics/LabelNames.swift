// SPDX-License-Identifier: Apache-2.0

/// Labels that mean something to the proxy.
enum LabelNames {
    static let podName = Array("pod_name".utf8)
    static let nodeRole = Array("node_role".utf8)
}
