// SPDX-License-Identifier: Apache-2.0

/// Certificates that nobody trusts, made for these tests alone: an authority, what it has signed, and a stranger. They hold until
/// 2126, but for `expired`, which held until February 2026.
enum TestCertificate {
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBRzCB76ADAgECAhQJxFX6RnbbyMMwZvuU7SJ02J+PhTAKBggqhkjOPQQDAjAZ
        MRcwFQYDVQQDDA50ZXN0IGF1dGhvcml0eTAgFw0yNjAxMDEwMDAwMDBaGA8yMTI2
        MDEwMTAwMDAwMFowGTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwWTATBgcqhkjO
        PQIBBggqhkjOPQMBBwNCAAT1vM9ZmIpcfXD6v+z9IB6Nk7SBCUme5C/jsAxn7eZI
        znw3pjR24SIy8T4ykklPwQFoOWPEPgm26e2iFQNiSem/oxMwETAPBgNVHRMBAf8E
        BTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIDNo17zaulcywnv1q8q38EUntLEYePw3
        rRZe6KsdV4xVAiAH/N+MreXBGZ9qW/ty3cyCuGO5pwbK9ay/GCfonUiNaw==
        -----END CERTIFICATE-----
        """

    static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBbDCCARKgAwIBAgIUc+vFcUeEqC7Fl23B6N6l2MYeaygwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjYwMTAxMDAwMDAwWhgPMjEy
        NjAxMDEwMDAwMDBaMBExDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABNz8XhSKprWg9VkWKkDsbrSTwvr64mhmd9n7Nj3a1Y02qVYyVrMd
        vBn3xs7zyPLkogVAiTLgtQM1PgkJeROe83ejPjA8MAwGA1UdEwEB/wQCMAAwLAYD
        VR0RBCUwI4IJbG9jYWxob3N0hwR/AAABhxD9AAAAAAAAAAAAAAAAAAABMAoGCCqG
        SM49BAMCA0gAMEUCIESl0jhKacKlrlSLXaFCLK01YuCXlsK7XxzPQZnfqd9aAiEA
        lj5sMFLnbtiU308ROi6UZmBPyT+WoII/tDnZvvdBr8o=
        -----END CERTIFICATE-----
        """

    static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvl7nCGD+xkQIu+jg
        VJfqf/rmhg7eo2ruzxjfFRcdk5ahRANCAATc/F4Uiqa1oPVZFipA7G60k8L6+uJo
        ZnfZ+zY92tWNNqlWMlazHbwZ98bO88jy5KIFQIky4LUDNT4JCXkTnvN3
        -----END PRIVATE KEY-----
        """

    static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBmDCCAT+gAwIBAgIUeWhA3v8JuBHHr3hhJ8kn04EKAfgwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjYwMTAxMDAwMDAwWhgPMjEy
        NjAxMDEwMDAwMDBaMBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABMb0Rs0E3UxAUPz/ePz3whBOqpFK8fZq7GecsSAM0T1HxPs0dUus
        WH0WPHWtwJl0qFAwpxcDGawj/l6BtN02k9mjazBpMAwGA1UdEwEB/wQCMAAwWQYD
        VR0RBFIwUIYpc3BpZmZlOi8vY2x1c3Rlci5sb2NhbC9ucy9hL3NhL3Byb21ldGhl
        dXOCEnByb21ldGhldXMuZXhhbXBsZYEPb3BzQGV4YW1wbGUub3JnMAoGCCqGSM49
        BAMCA0cAMEQCIDRqjT6HYcj2dFnIIxXoI1MUxahDM92McUJib/Hsq8l9AiBh2Udt
        5P3JigEIjc8MWQXo8hK2V7zBoyYaLHi0e4hPZw==
        -----END CERTIFICATE-----
        """

    static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpdlACKA/WeX9i0KU
        GiIzLs9sKsKh4f5qUl94lCOFmfyhRANCAATG9EbNBN1MQFD8/3j898IQTqqRSvH2
        auxnnLEgDNE9R8T7NHVLrFh9Fjx1rcCZdKhQMKcXAxmsI/5egbTdNpPZ
        -----END PRIVATE KEY-----
        """

    static let stranger = """
        -----BEGIN CERTIFICATE-----
        MIIBYTCCAQigAwIBAgIUMkg5qtYcvLjYqMX+2GIwb+YeFGkwCgYIKoZIzj0EAwIw
        HDEaMBgGA1UEAwwRYW5vdGhlciBhdXRob3JpdHkwIBcNMjYwMTAxMDAwMDAwWhgP
        MjEyNjAxMDEwMDAwMDBaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0C
        AQYIKoZIzj0DAQcDQgAE/DU5qEiuZipUjzMx8Gx9WaQVPHOI9iawzGeF8yKkDEL6
        m8qrk6dOunnzx+WIsi2Lf5eBGCTNNzvP0Sgdmvx8AqMvMC0wDAYDVR0TAQH/BAIw
        ADAdBgNVHREEFjAUghJwcm9tZXRoZXVzLmV4YW1wbGUwCgYIKoZIzj0EAwIDRwAw
        RAIgcChmp9yCQMAbyj05Sh6CkEJOC2VcB+QvopaK6hPOIHICIHOdcOJqqmDEGLJ8
        dBQ+Qz/6cDQ+OW0Nu2pD1nOr57tb
        -----END CERTIFICATE-----
        """

    static let strangerKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMUjJlQWQ+ufIpKpq
        qKe60fRI+CkWEi6yYOPsoYCp6fuhRANCAAT8NTmoSK5mKlSPMzHwbH1ZpBU8c4j2
        JrDMZ4XzIqQMQvqbyquTp066efPH5YiyLYt/l4EYJM03O8/RKB2a/HwC
        -----END PRIVATE KEY-----
        """

    static let expired = """
        -----BEGIN CERTIFICATE-----
        MIIBXDCCAQKgAwIBAgIULrXlBehijzXRMfci5WBuvEfEwDUwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwHhcNMjYwMTAxMDAwMDAwWhcNMjYw
        MjAxMDAwMDAwWjASMRAwDgYDVQQDDAdleHBpcmVkMFkwEwYHKoZIzj0CAQYIKoZI
        zj0DAQcDQgAEHbZEwESfF1T4hiZOBXEg04QTDu/Zu4hOh108hFvynBXXDflFMVZp
        LhDBbVEG/RBWsnlJrXQ7pAqRRfTFugPxv6MvMC0wDAYDVR0TAQH/BAIwADAdBgNV
        HREEFjAUghJwcm9tZXRoZXVzLmV4YW1wbGUwCgYIKoZIzj0EAwIDSAAwRQIgGCl9
        8Q4CtRQQ0FdSMQMGAEEHh0cPLh27bE5p+zo96WsCIQCszoq7uCb+Ocd2xgJa9/Qt
        1s6CXHTwQkvWt85CAzHvrg==
        -----END CERTIFICATE-----
        """

    static let expiredKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgoTNuV525DzjF1BhI
        Y/IdY3vWpzGuydQ8IBtQePr8Ru2hRANCAAQdtkTARJ8XVPiGJk4FcSDThBMO79m7
        iE6HXTyEW/KcFdcN+UUxVmkuEMFtUQb9EFayeUmtdDukCpFF9MW6A/G/
        -----END PRIVATE KEY-----
        """

    static let encryptedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCRt7JlQrDHLlDPex6f
        RkEcAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQtfV0E+HkVaFzfvLh
        j6hQpgSBkOZM7YM5s2MbZHEsr3c3J33A4giuohihL2u1C+lGlwHFI3J68eJ1qDBb
        zX2eQcB4DOz+PzAAE99NFv1FOHpBdtJfexznT+rxV0msS3oMhbQj19cEU4/bAtQo
        GgU3+kAL4jfkLi6QLhdUfHYO3ke0x1EruEYTCunjmvrl/whsHVR3295e90uCl3th
        hwczICVTyA==
        -----END ENCRYPTED PRIVATE KEY-----
        """
}
