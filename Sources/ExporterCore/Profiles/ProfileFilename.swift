// SPDX-License-Identifier: Apache-2.0

/// The file name of a downloaded profile at the client.
enum ProfileFilename {
    /// Pod names have 253 characters at most; what claims more shall not make a header of any size.
    static let longestPart = 253

    /// `POD-ROLE-PROFILE-TYPE`, where every Unicode scalar outside `[A-Za-z0-9._-]` is `_`.
    static func stem(podName: String, role: String, profileID: String, type: String) -> String {
        [podName, role, profileID, type].map(harmless).joined(separator: "-")
    }

    private static func harmless(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(longestPart) {
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", ".", "_", "-": result.unicodeScalars.append(scalar)
            default: result.append("_")
            }
        }
        return result
    }
}
