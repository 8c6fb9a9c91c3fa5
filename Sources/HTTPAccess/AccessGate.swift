// SPDX-License-Identifier: Apache-2.0
import Credentials
import HTTPServer
import Logging
import NIOCore
import Platform
import WebConfig

/// Stands in front of the endpoints: who asks, and may he. Everything on one event loop.
public final class AccessGate: HTTPRequestHandler {
    /// `/health` for those who have not said who they are: only the status.
    public typealias Endpoint = (HTTPRequest, HTTPResponder) -> Void

    /// The answer to a request that is not let through.
    public struct Refusal {
        public var status: Int
        public var text: String
        public var fields: [(String, String)]
    }

    private let inner: any HTTPRequestHandler
    private let publicHealth: Endpoint
    private let healthRequiresCredentials: Bool
    private let passwords: PasswordChecks
    private let logger: Logger
    private var users: [String: PasswordHash] = [:]
    /// nil: there is no file of tokens.
    private var tokens: AccessTokens?
    private var rateLimit: WebConfig.RateLimit?
    private var rate: RequestRate?
    private var failures: [AccessFailure: UInt64] = [:]
    /// Answers a refused request with a page, for people; false: it does not.
    public var refusalPage: (HTTPRequest, HTTPResponder, Refusal) -> Bool = { _, _, _ in false }
    /// Requests beyond the rate limit.
    public private(set) var rateLimited: UInt64 = 0

    /// - Parameters:
    ///   - thread: where bcrypt runs.
    ///   - publicHealth: answers `/health` without credentials.
    ///   - healthRequiresCredentials: nobody gets that answer.
    public init(
        inner: any HTTPRequestHandler, loop: any EventLoop, thread: JobThread, logger: Logger,
        healthRequiresCredentials: Bool, publicHealth: @escaping Endpoint
    ) {
        self.inner = inner
        self.publicHealth = publicHealth
        self.healthRequiresCredentials = healthRequiresCredentials
        self.logger = logger
        passwords = PasswordChecks(loop: loop, thread: thread)
    }

    /// Whether anybody must say who he is.
    public var isProtected: Bool { !users.isEmpty || tokens != nil }

    public func use(_ config: WebConfig) {
        users = config.users
        guard config.rateLimit != rateLimit else { return }
        rateLimit = config.rateLimit
        rate = config.rateLimit.map { RequestRate($0, now: MonotonicClock.nowNanoseconds()) }
    }

    public func use(_ tokens: AccessTokens) { self.tokens = tokens }

    /// Passwords for which bcrypt was run.
    var checkedPasswords: UInt64 { passwords.checkCount }

    /// How often each happened; every cause is there.
    public var failureCounts: [(failure: AccessFailure, count: UInt64)] {
        AccessFailure.ofRequests.map { ($0, failures[$0] ?? 0) }
    }

    public func handle(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let area = AccessArea(path: request.path)
        guard area != .probe else { return inner.handle(request, responder) }
        if rate != nil, rate?.admit(now: MonotonicClock.nowNanoseconds()) == false {
            rateLimited += 1
            return responder.respond(
                status: 429, text: "more requests than rate_limit in the web configuration allows",
                headers: [("Retry-After", "1")])
        }
        guard isProtected else { return inner.handle(request, responder) }
        guard let field = request.header("authorization") else {
            if area == .health, !healthRequiresCredentials { return publicHealth(request, responder) }
            return refuse(.noCredentials, request, responder)
        }
        switch RequestCredentials(field) {
        case .malformed:
            refuse(.malformed, area, request, responder)
        case .token(let token):
            admit(token: token, area, request, responder)
        case .password(let user, let password):
            admit(user: user, password, area, request, responder)
        }
    }

    private func admit(token: String, _ area: AccessArea, _ request: HTTPRequest, _ responder: HTTPResponder) {
        guard let entry = tokens?.entry(ofToken: token) else { return refuse(.unknownToken, area, request, responder) }
        let missing = area.neededScopes.filter { !entry.scopes.contains($0) }
        guard missing.isEmpty, entry.allows(path: request.path) else {
            return refuse(.forbidden, area, request, responder, who: "token \(entry.name)", missing: missing)
        }
        inner.handle(request, responder)
    }

    private func admit(
        user: String, _ password: [UInt8], _ area: AccessArea, _ request: HTTPRequest, _ responder: HTTPResponder
    ) {
        // Of a user that is not known the password of another is checked, for as much time.
        guard let hash = users[user] ?? users.values.first else {
            return refuse(.wrongPassword, area, request, responder)
        }
        let isKnown = users[user] != nil
        passwords.check(
            password, hash: hash, isKnown: isKnown, source: request.source, now: MonotonicClock.nowNanoseconds()
        ) { [self] answer in
            switch answer {
            case .right:
                inner.handle(request, responder)
            case .wrong:
                refuse(
                    .wrongPassword, area, request, responder, who: isKnown ? "user \(user)" : "a user that is not known"
                )
            case .penalty(let seconds):
                refuse(.penalty, area, request, responder, retryAfterSeconds: seconds)
            case .busy:
                refuse(.busy, area, request, responder, retryAfterSeconds: 1)
            }
        }
    }

    // MARK: Refusals

    private func refuse(
        _ failure: AccessFailure, _ area: AccessArea, _ request: HTTPRequest, _ responder: HTTPResponder,
        who: String? = nil, missing: [AccessScope] = [], retryAfterSeconds: UInt64? = nil
    ) {
        // A probe whose credentials are out of date must not restart the service.
        guard area != .health || healthRequiresCredentials else {
            note(failure, request, who)
            return publicHealth(request, responder)
        }
        refuse(failure, request, responder, who: who, missing: missing, retryAfterSeconds: retryAfterSeconds)
    }

    private func refuse(
        _ failure: AccessFailure, _ request: HTTPRequest, _ responder: HTTPResponder, who: String? = nil,
        missing: [AccessScope] = [], retryAfterSeconds: UInt64? = nil
    ) {
        note(failure, request, who)
        var fields: [(String, String)] = []
        if let retryAfterSeconds { fields.append(("Retry-After", "\(retryAfterSeconds)")) }
        let status = Self.status(of: failure)
        if status == 401 { fields += challenges }
        let refusal = Refusal(status: status, text: text(of: failure, missing, retryAfterSeconds), fields: fields)
        if refusalPage(request, responder, refusal) { return }
        responder.respond(status: status, text: refusal.text, headers: fields)
    }

    private func note(_ failure: AccessFailure, _ request: HTTPRequest, _ who: String?) {
        failures[failure, default: 0] += 1
        var metadata: Logger.Metadata = [
            "client": "\(request.peer)", "path": "\(request.path)", "reason": "\(failure.rawValue)",
        ]
        if let who { metadata["who"] = "\(who)" }
        // A browser asks without credentials first.
        logger.log(
            level: failure == .noCredentials ? .debug : .warning, "an HTTP request was refused", metadata: metadata)
    }

    private static func status(of failure: AccessFailure) -> Int {
        switch failure {
        case .noCredentials, .malformed, .wrongPassword, .unknownToken: 401
        case .forbidden, .address: 403
        case .penalty: 429
        case .busy: 503
        }
    }

    /// The kinds of credentials that a client may present (RFC 9110 section 11.6.1).
    private var challenges: [(String, String)] {
        var challenges: [(String, String)] = []
        if !users.isEmpty { challenges.append(("WWW-Authenticate", "Basic realm=\"fodc-proxy\", charset=\"UTF-8\"")) }
        if tokens != nil { challenges.append(("WWW-Authenticate", "Bearer realm=\"fodc-proxy\"")) }
        return challenges
    }

    private func text(of failure: AccessFailure, _ missing: [AccessScope], _ retryAfterSeconds: UInt64?) -> String {
        let kinds = [users.isEmpty ? nil : "basic authentication", tokens == nil ? nil : "a bearer token"]
            .compactMap { $0 }.joined(separator: " or ")
        return switch failure {
        case .noCredentials: "this path needs \(kinds)"
        case .malformed: "the Authorization field is not \(kinds)"
        case .wrongPassword: "there is no such user with this password"
        case .unknownToken: "this token is not known"
        case .forbidden where missing.isEmpty: "this token is not for this path"
        case .forbidden: "this path needs a token with the scope \(missing.map(\.rawValue).joined(separator: " and "))"
        case .penalty: "wrong passwords came from this address; ask again in \(retryAfterSeconds ?? 1) s"
        case .busy: "too many passwords are being checked; ask again"
        case .address: "this address may not ask"
        }
    }
}
