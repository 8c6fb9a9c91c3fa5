// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOSSL

/// A subject alternative name of a certificate (RFC 5280 section 4.2.1.6), of the kinds that name a machine or a workload.
public enum CertificateName: Hashable, Sendable {
    case dns(String)
    case email(String)
    case uri(String)
    /// As `inet_ntop` writes it.
    case address(String)

    public var text: String {
        switch self {
        case .dns(let text), .email(let text), .uri(let text), .address(let text): text
        }
    }
}

extension NIOSSLCertificate {
    /// A name with a byte that no name has (a NUL above all, which would end it for a reader in C) is left out.
    ///
    /// The library's own reader (BoringSSL) takes the extension apart. Its name begins with an underscore because its shape may
    /// change with a release; the compiler would tell.
    public var names: [CertificateName] {
        _subjectAlternativeNames().compactMap { name in
            let bytes = Array(name.contents)
            switch name.nameType {
            case .dnsName: return Self.text(bytes).map { .dns($0) }
            case .email: return Self.text(bytes).map { .email($0) }
            case .uri: return Self.text(bytes).map { .uri($0) }
            case .ipAddress: return Self.address(bytes).map { .address($0) }
            default: return nil
            }
        }
    }

    /// These names are ASCII (IA5String) without control characters.
    private static func text(_ bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func address(_ bytes: [UInt8]) -> String? {
        switch bytes.count {
        case 4:
            return bytes.map { String($0) }.joined(separator: ".")
        case 16:
            var address = in6_addr()
            address.__in6_u.__u6_addr8 = (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9],
                bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            )
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard inet_ntop(AF_INET6, &address, &text, socklen_t(text.count)) != nil else { return nil }
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        default:
            return nil
        }
    }
}
