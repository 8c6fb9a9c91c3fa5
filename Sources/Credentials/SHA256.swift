// SPDX-License-Identifier: Apache-2.0
import CGcrypt

/// SHA-256 by libgcrypt. The one place that touches it: pointers are to arrays that live through the call.
public enum SHA256 {
    public static let digestBytes = 32

    private static let isPrepared: Bool = {
        fodc_gcrypt_prepare()
        return true
    }()

    /// Makes the library read its files (`/proc/sys/crypto`, `/etc/gcrypt`) now, because the process may lose the right
    /// to open files before the first hash.
    public static func prepare() { _ = isPrepared }

    public static func hash(_ bytes: [UInt8]) -> [UInt8] {
        prepare()
        var digest = [UInt8](repeating: 0, count: digestBytes)
        digest.withUnsafeMutableBytes { output in
            bytes.withUnsafeBytes { input in
                gcry_md_hash_buffer(CInt(GCRY_MD_SHA256.rawValue), output.baseAddress, input.baseAddress, input.count)
            }
        }
        return digest
    }
}

/// Compares without telling by its time how much is equal. Lengths are no secret.
public func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
