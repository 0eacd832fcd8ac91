/// Certificates for tests, good until the next century.
///
/// Everybody has their keys: they protect nothing.
public enum TestCertificates {
    /// What a node needs to listen for TLS; its certificate is for `testkit` and `localhost`.
    public static let node = TestCluster.TLS(
        name: "testkit",
        certificateChainPEM: nodeCertificatePEM,
        privateKeyPEM: nodeKeyPEM
    )

    /// The same, of a node that demands a certificate of its clients, such as ``clientCertificatePEM``.
    public static let demandingNode = TestCluster.TLS(
        name: "testkit",
        certificateChainPEM: nodeCertificatePEM,
        privateKeyPEM: nodeKeyPEM,
        clientAuthorityPEM: authorityPEM
    )

    /// Who signed the other certificates, which is whom to trust.
    public static let authorityPEM = """
        -----BEGIN CERTIFICATE-----
        MIIBsDCCAVegAwIBAgIUTfUxeVIqqaqEnifO55WS0qZwFrAwCgYIKoZIzj0EAwIw
        JTEjMCEGA1UEAwwaQWVyb3NwaWtlVGVzdEtpdCBhdXRob3JpdHkwIBcNMjYxMTIz
        MTIyNDUwWhgPMjEyNjEwMzAxMjI0NTBaMCUxIzAhBgNVBAMMGkFlcm9zcGlrZVRl
        c3RLaXQgYXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2eUCc7qL
        2qO01MwenfvyQE/tW42HtxXMkCuASa7/PPhuxP4cApqoNwA+avW9sNpZ65HPgaGk
        /F7Y/gknZVSck6NjMGEwHQYDVR0OBBYEFGJA+OSFGlWmHDLt5dZCCSxWoKkyMB8G
        A1UdIwQYMBaAFGJA+OSFGlWmHDLt5dZCCSxWoKkyMA8GA1UdEwEB/wQFMAMBAf8w
        DgYDVR0PAQH/BAQDAgEGMAoGCCqGSM49BAMCA0cAMEQCICDxYkWXBbPSpYjXa3Ek
        lL+iqioQryeP2RQ7VrXBfi7hAiBj2eEorV8QbsRWwcqFZc/JGUeB7XYZDiuNTABv
        s2jg9A==
        -----END CERTIFICATE-----
        """

    /// A certificate for a client.
    public static let clientCertificatePEM = """
        -----BEGIN CERTIFICATE-----
        MIIBmzCCAUGgAwIBAgITZYj9C78Vf0bG9BDkcwD0Q/ImpTAKBggqhkjOPQQDAjAl
        MSMwIQYDVQQDDBpBZXJvc3Bpa2VUZXN0S2l0IGF1dGhvcml0eTAgFw0yNjExMjMx
        MjI0NTBaGA8yMTI2MTAzMDEyMjQ1MFowETEPMA0GA1UEAwwGY2xpZW50MFkwEwYH
        KoZIzj0CAQYIKoZIzj0DAQcDQgAEoP+wqtLWtR1mSIeGf/TgdPPWi8RPbW4ahM+H
        0s5fmUpuJPZyXrv34pWVjr/O8TD0a/kx+1aQ9DwL4uQBocweU6NiMGAwEwYDVR0l
        BAwwCgYIKwYBBQUHAwIwCQYDVR0TBAIwADAdBgNVHQ4EFgQU+Qj+so48udNwnAHN
        6xJ2pkzevOEwHwYDVR0jBBgwFoAUYkD45IUaVaYcMu3l1kIJLFagqTIwCgYIKoZI
        zj0EAwIDSAAwRQIgEHKJOG0vIQoXepVcM9DTc+747jWNm9Jl+haGOtKfHM0CIQCJ
        cv0KqaKsKpcRz0Kjznphnlxyuig5D1bjTbWRTyt+tA==
        -----END CERTIFICATE-----
        """

    /// The key of the client's certificate.
    public static let clientKeyPEM = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgo77lWkel5lqYy0Tb
        e06oGvdi5v1b1SnXpXJdzyCT6uehRANCAASg/7Cq0ta1HWZIh4Z/9OB089aLxE9t
        bhqEz4fSzl+ZSm4k9nJeu/filZWOv87xMPRr+TH7VpD0PAvi5AGhzB5T
        -----END PRIVATE KEY-----
        """

    private static let nodeCertificatePEM = """
        -----BEGIN CERTIFICATE-----
        MIIBvDCCAWKgAwIBAgITZYj9C78Vf0bG9BDkcwD0Q/ImpjAKBggqhkjOPQQDAjAl
        MSMwIQYDVQQDDBpBZXJvc3Bpa2VUZXN0S2l0IGF1dGhvcml0eTAgFw0yNjExMjMx
        MjM3MjdaGA8yMTI2MTAzMDEyMzcyN1owEjEQMA4GA1UEAwwHdGVzdGtpdDBZMBMG
        ByqGSM49AgEGCCqGSM49AwEHA0IABP0r8teBHjWWY+2M/8fAH5M0hVls5MCDFGtW
        AmbZc12qe04fWhUWDVfQ7sCQDouiivWnk+5boaC08X+gMCK05QmjgYEwfzAdBgNV
        HREEFjAUggd0ZXN0a2l0gglsb2NhbGhvc3QwEwYDVR0lBAwwCgYIKwYBBQUHAwEw
        CQYDVR0TBAIwADAdBgNVHQ4EFgQUQ41aGT05P9WBcyokD9YaVNbJSjwwHwYDVR0j
        BBgwFoAUYkD45IUaVaYcMu3l1kIJLFagqTIwCgYIKoZIzj0EAwIDSAAwRQIhAKOo
        1NibLa2ivLP4JQIh7VVpA8dtSrjerz1kSVA9JpFdAiBM5l/l+tJRV+Og/eRhf0G0
        55bdKn2VQRY24dBKRUihjQ==
        -----END CERTIFICATE-----
        """

    private static let nodeKeyPEM = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZGC2Oby/jUzbORO2
        b7uNum5w2TatLNJHoG2s2kyWfqehRANCAAT9K/LXgR41lmPtjP/HwB+TNIVZbOTA
        gxRrVgJm2XNdqntOH1oVFg1X0O7AkA6Loor1p5PuW6GgtPF/oDAitOUJ
        -----END PRIVATE KEY-----
        """
}
