// SPDX-License-Identifier: Apache-2.0

/// The reason for a 400 answer, as the client reads it.
struct RequestMistake: Error, Equatable {
    var text: String
}

extension String {
    /// As an answer repeats what somebody sent: in quotation marks, without control characters and lines' ends, cut off.
    func quoted(atMost characters: Int = 128) -> String { prefix(characters).debugDescription }
}
