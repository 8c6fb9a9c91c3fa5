// SPDX-License-Identifier: Apache-2.0

/// A form in which a profile is shown.
public enum ProfileFormat: String, CaseIterable, Sendable {
    /// A flame graph as a picture.
    case svg
    /// A line a stack, as Brendan Gregg's flamegraph.pl and inferno read it.
    case collapsed
    /// A file for speedscope.app.
    case speedscope
    /// Functions, the most expensive first, as `go tool pprof -top` lists them.
    case top
    /// The tree of calls, for the page that draws it.
    case json

    public var contentType: String {
        switch self {
        case .svg: "image/svg+xml"
        case .collapsed, .top: "text/plain; charset=utf-8"
        case .speedscope, .json: "application/json"
        }
    }
}

/// A profile in one of the formats.
public struct ProfileView: Sendable {
    /// A capture as its agent names it.
    public struct Capture: Sendable {
        public var podName: String
        public var profileID: String
        /// `heap` or `goroutine`.
        public var kind: String

        public init(podName: String, profileID: String, kind: String) {
            self.podName = podName
            self.profileID = profileID
            self.kind = kind
        }
    }

    let capture: Capture
    /// Id of the capture of the same pod and kind that it is compared with.
    let baseID: String?
    let sampleTypes: [PprofProfile.SampleType]
    let sampleType: PprofProfile.SampleType
    let tree: CallTree
    private let limits: PprofLimits

    /// - Parameters:
    ///   - bytes: of the capture.
    ///   - base: the capture that it is compared with.
    ///   - sampleType: the kind of values that counts; the profile's default for nil.
    public init(
        _ capture: Capture, _ bytes: [UInt8], base: (profileID: String, bytes: [UInt8])? = nil, sampleType: String?,
        limits: PprofLimits
    ) throws(PprofError) {
        let profile = try PprofProfile(bytes.span.bytes, limits: limits)
        let index = try profile.sampleType(named: sampleType)
        self.capture = capture
        self.limits = limits
        sampleTypes = profile.sampleTypes
        self.sampleType = profile.sampleTypes[index]
        baseID = base?.profileID
        guard let base else {
            tree = try CallTree(profile, type: index, limits: limits)
            return
        }
        let other = try PprofProfile(base.bytes.span.bytes, limits: limits)
        guard let baseIndex = other.sampleTypes.firstIndex(of: self.sampleType) else {
            throw PprofError(
                cause: .unknownSampleType,
                text: "the profile to compare with has no \(self.sampleType.name) in \(self.sampleType.unit)")
        }
        tree = try CallTree(profile, type: index, base: (other, baseIndex), limits: limits)
    }

    public func text(_ format: ProfileFormat) throws(PprofError) -> [UInt8] {
        switch format {
        case .svg: try FlameGraphPicture(self).text
        case .collapsed: try collapsed
        case .speedscope: try speedscope
        case .top: try top
        case .json: try json
        }
    }

    var isDifference: Bool { baseID != nil }
    var total: CallTree.Values { tree.nodes[0].total }

    /// `pod-0 heap 20260821T101112 since 20260820T101112`.
    var title: String {
        let name = [capture.podName, capture.kind, capture.profileID].map(ShownName.clean).joined(separator: " ")
        return name + (baseID.map { " since \(ShownName.clean($0))" } ?? "")
    }

    /// To be asked before an answer is written.
    /// - Parameter byteCount: an upper bound of its length.
    func checkOutput(_ byteCount: Int, _ format: ProfileFormat) throws(PprofError) {
        guard byteCount <= limits.outputBytes else {
            let others = ProfileFormat.allCases.filter { $0 != format }.map(\.rawValue).joined(separator: ", ")
            throw PprofError(
                cause: .tooLarge,
                text:
                    "this profile as \(format.rawValue) may have more than \(limits.outputBytes) bytes; try one of \(others)"
            )
        }
    }
}
