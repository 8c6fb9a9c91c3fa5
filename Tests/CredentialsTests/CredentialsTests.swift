// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Credentials

struct CredentialsTests {
    @Test(arguments: [
        // FIPS 180-2, appendix B.
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256_matchesTheStandardsVectors(text: String, digest: String) {
        #expect(AccessToken.hexText(SHA256.hash(Array(text.utf8))) == digest)
    }

    @Test func constantTimeComparison_findsEachDifference() {
        #expect(isEqualInConstantTime([], []))
        #expect(isEqualInConstantTime([1, 2, 3], [1, 2, 3]))
        #expect(!isEqualInConstantTime([1, 2, 3], [1, 2, 2]))
        #expect(!isEqualInConstantTime([0, 2, 3], [1, 2, 3]))
        #expect(!isEqualInConstantTime([1, 2, 3], [1, 2]))
    }

    // The first is exporter-toolkit's decoy, made by Go; the others are vectors of crypt_blowfish.
    @Test(arguments: [
        ("$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi", "fakepassword"),
        ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
        ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
    ])
    func passwordHash_matchesOnlyItsPassword(text: String, password: String) throws {
        let hash = try PasswordHash(text)
        #expect(hash.matches(Array(password.utf8)))
        #expect(!hash.matches(Array((password + "x").utf8)))
        #expect(!hash.matches([]))
        #expect(!hash.matches(Array(password.utf8) + [0]))
        #expect(!hash.matches(Array(password.utf8) + [0] + Array("x".utf8)))
        #expect(!hash.matches([UInt8](repeating: 0x61, count: 600)))
    }

    @Test(arguments: [
        "", "plain", "$1$abc$def", "$2x$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeS",
        "$2y$xx$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        "$2y$+9$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        "$2y$03$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        "$2y$16$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
        "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDe:i",
        "$2y$10-QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi",
    ])
    func passwordHash_rejectsOtherHashes(text: String) {
        #expect(throws: PasswordHash.Flaw.self) { try PasswordHash(text) }
    }

    @Test func accessToken_isRandomAndFoundByItsHash() throws {
        let one = AccessToken.make()
        let other = AccessToken.make()
        #expect(one != other)
        #expect(one.hasPrefix("fodc_") && one.utf8.count == 5 + 64)
        let text = AccessToken.hexText(AccessToken.hash(one))
        #expect(AccessToken.bytes(hexText: text) == AccessToken.hash(one))
        #expect(AccessToken.bytes(hexText: text.uppercased()) == AccessToken.hash(one))
        #expect(AccessToken.bytes(hexText: "abc") == nil)
        #expect(AccessToken.bytes(hexText: "zz") == nil)
    }

    @Test(arguments: [
        ("Basic dXNlcjpwYXNz", RequestCredentials.password(user: "user", password: Array("pass".utf8))),
        ("basic  dXNlcjpwYTpzcw== ", .password(user: "user", password: Array("pa:ss".utf8))),
        ("BASIC dXNlcjo=", .password(user: "user", password: [])),
        ("Basic dXNlcjo", .password(user: "user", password: [])),
        ("Basic OnBhc3M=", .password(user: "", password: Array("pass".utf8))),
        ("Bearer fodc_abc", .token("fodc_abc")), ("bearer x", .token("x")),
        ("Basic", .malformed), ("Basic ", .malformed), ("Basic dXNlcg==", .malformed),
        ("Basic dXNlcjpwYXN", .password(user: "user", password: Array("pa".utf8) + [0x73])),
        ("Basic !!!!", .malformed), ("Basic dXNl=jpw", .malformed), ("Basic /zpw", .malformed), ("Bearer", .malformed),
        ("Bearer a b", .malformed), ("Digest username=x", .malformed), ("", .malformed), ("Basic d", .malformed),
        ("Basic dXNlcjo==", .malformed), ("Basic dXNlcjpwYXNz====", .malformed),
    ])
    func requestCredentials_areReadStrictly(field: String, expected: RequestCredentials) {
        #expect(RequestCredentials(field) == expected)
    }
}
