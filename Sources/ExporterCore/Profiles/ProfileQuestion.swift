// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import Pprof

/// The query of a request for a profile in another form than the agent's.
struct ProfileQuestion: Equatable {
    var format: ProfileFormat
    /// The kind of values that counts; the profile's default for nil.
    var sampleType: String?
    /// Id of the capture of the same kind that it is compared with.
    var base: String?
    /// The pod of that capture; `nil`: the same.
    var basePod: String?

    /// Nil: the bytes are wanted as they are.
    static func of(_ request: HTTPRequest) throws(RequestMistake) -> ProfileQuestion? {
        let (format, type, base) = (
            request.parameter("format"), request.parameter("type"), request.parameter("diff")
        )
        let basePod = request.parameter("diff_pod")
        let known = ProfileFormat.allCases.map(\.rawValue).joined(separator: ", ")
        guard let format else {
            guard type == nil, base == nil, basePod == nil else {
                throw RequestMistake(text: "type=, diff= and diff_pod= need format=, which is one of \(known)")
            }
            return nil
        }
        guard let wanted = ProfileFormat(rawValue: format) else {
            throw RequestMistake(text: "format \(format.quoted()) must be one of \(known)")
        }
        if type == "" { throw RequestMistake(text: "type= needs the name of a kind of values, such as inuse_space") }
        if base == "" { throw RequestMistake(text: "diff= needs the profile_id of the capture to compare with") }
        if basePod != nil, base == nil {
            throw RequestMistake(text: "diff_pod= needs diff=, the profile_id of the capture of that pod")
        }
        if basePod == "" { throw RequestMistake(text: "diff_pod= needs the pod of the capture to compare with") }
        return ProfileQuestion(format: wanted, sampleType: type, base: base, basePod: basePod)
    }
}
