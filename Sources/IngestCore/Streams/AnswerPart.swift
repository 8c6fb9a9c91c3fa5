// SPDX-License-Identifier: Apache-2.0

/// The kind of a message that is not parsed, by the fields at its top: so that an answer that is dropped is not
/// owed any more.
enum AnswerPart: Equatable {
    /// The whole answer to a request.
    case whole
    /// A part of an answer in several messages.
    case part
    /// The end of such an answer; with the id of its request, if it has one.
    case last(requestID: String?)
    /// A piece of a download.
    case chunk
    /// A record, which answers nothing by itself.
    case record

    /// Fields that are looked at. Messages of agents have two at most where it matters.
    static let maximumFields = 64
}
