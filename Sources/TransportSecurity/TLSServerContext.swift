// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL

/// A certificate with its key and rules, ready to serve connections. Connections that began with one keep it when another
/// takes its place.
public final class TLSServerContext: Sendable {
    let context: NIOSSLContext
    public let settings: TLSServerSettings
    /// When the first certificate of the chain expires, in seconds since 1970. A client refuses the chain from then on.
    public let expiresAtSeconds: Int64

    private init(context: NIOSSLContext, settings: TLSServerSettings, expiresAtSeconds: Int64) {
        self.context = context
        self.settings = settings
        self.expiresAtSeconds = expiresAtSeconds
    }

    /// Reads certificates and key, and checks that they belong together. It reads files, so it must not be called on an event
    /// loop.
    /// - Parameter files: every file that is read is noted there.
    /// - Parameter names: what the settings are called where they come from, for the errors.
    public static func load(
        _ settings: TLSServerSettings, files: inout ReadFiles, names: SettingNames = SettingNames()
    ) throws(ConfigurationFileError) -> TLSServerContext {
        let chain = try certificates(settings.certificateChain, name: names.certificateChain, files: &files)
        let key = try privateKey(settings.privateKey, name: names.privateKey, files: &files)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = settings.minimumVersion
        configuration.maximumTLSVersion = settings.maximumVersion
        if settings.cipherSuites.isEmpty {
            configuration.cipherSuites = TLSServerSettings.defaultCipherSuites
        } else {
            configuration.cipherSuiteValues = settings.cipherSuites
        }
        if !settings.curves.isEmpty { configuration.curves = settings.curves }
        configuration.applicationProtocols = settings.applicationProtocols
        switch settings.clientPolicy {
        case .notRequested: configuration.certificateVerification = .none
        case .requested, .verifiedIfGiven: configuration.certificateVerification = .optionalVerification
        case .requiredUnverified, .required: configuration.certificateVerification = .noHostnameVerification
        }
        // Without authorities nobody is trusted: the system's are for servers on the Internet, not for clients of this one.
        var authorities: [NIOSSLCertificate] = []
        if let source = settings.clientAuthorities {
            authorities = try certificates(source, name: names.clientAuthorities, files: &files)
        }
        configuration.trustRoots = .certificates(authorities)
        configuration.sendCANameList = settings.clientPolicy.verifiesCertificate
        do {
            return TLSServerContext(
                context: try NIOSSLContext(configuration: configuration), settings: settings,
                expiresAtSeconds: chain.map { Int64($0.notValidAfter) }.min() ?? 0)
        } catch {
            // The key itself has been read already: it is refused because of the certificate.
            let isMismatch = (error as? NIOSSLError) == .failedToLoadPrivateKey
            throw ConfigurationFileError(
                isMismatch
                    ? "the key of \(names.privateKey) does not belong to the certificate of \(names.certificateChain)"
                    : "\(names.certificateChain) and \(names.privateKey) cannot be used: \(error)")
        }
    }

    /// Names of the settings as the user gave them, for error messages.
    public struct SettingNames: Sendable {
        public var certificateChain = "cert_file"
        public var privateKey = "key_file"
        public var clientAuthorities = "client_ca_file"

        public init() {}
    }

    private static func certificates(
        _ source: PEMSource, name: String, files: inout ReadFiles
    ) throws(ConfigurationFileError) -> [NIOSSLCertificate] {
        let (bytes, place) = try pem(source, name: name, files: &files)
        do {
            return try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch {
            throw ConfigurationFileError(
                "\(place) has no certificate in PEM (-----BEGIN CERTIFICATE-----) that can be read")
        }
    }

    private static func privateKey(
        _ source: PEMSource, name: String, files: inout ReadFiles
    ) throws(ConfigurationFileError) -> NIOSSLPrivateKey {
        let (bytes, place) = try pem(source, name: name, files: &files)
        guard !String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED") else {
            throw ConfigurationFileError(
                "\(place) is encrypted with a passphrase, which nobody could type in: openssl pkey -in FILE -out PLAIN")
        }
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw ConfigurationFileError(
                "\(place) has no private key in PEM (-----BEGIN PRIVATE KEY-----) that can be read")
        }
    }

    /// The text, and how errors call it.
    private static func pem(
        _ source: PEMSource, name: String, files: inout ReadFiles
    ) throws(ConfigurationFileError) -> ([UInt8], String) {
        switch source {
        case .text(let bytes): return (bytes, name)
        case .file(let path):
            do throws(ConfigurationFileError) {
                return (try files.read(path), "\(name) \(path)")
            } catch {
                throw ConfigurationFileError("\(name): \(error)")
            }
        }
    }
}
