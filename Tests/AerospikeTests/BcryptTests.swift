import Aerospike
import Testing

@Suite struct BcryptTests {
    /// Made with the package `bcrypt` of Python; those with the salt of all C's are known from crypt_blowfish 1.3 too.
    @Test(arguments: [
        ("a", "7EqJtq98hPqEX7fNZaFWoO", 4, "$2a$04$7EqJtq98hPqEX7fNZaFWoOQTXAgXVx28cklzuG23e0BMtWwnAUmJG"),
        ("U*U*U", "CCCCCCCCCCCCCCCCCCCCC.", 5, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.Bw3BobdGs1SFsKsRLIx9rC4T.Q7DtEm"),
        (
            "~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "fPIsBO8qRqkjj273rfaOI.", 6,
            "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO"
        ),
    ])
    func hashesAreThoseOfOthers(password: String, salt: String, cost: Int, hash: String) {
        #expect(Bcrypt.hash(password, salt: salt, cost: cost) == hash)
    }

    /// What is sent in the place of a password, made with the package `bcrypt` of Python.
    @Test(arguments: [
        ("secret", "u7NRZ0i7m5NbgPBEsHTCoJzZDEKQRb."), ("pässwörd", "teZHET5XbgArChDJutG6xOnAY19WzN."),
        ("", "LCkFexA7A9eoJ0Ew.mTDdk.E60D.9zS"),
    ])
    func passwordsAreHashedWithTheSaltOfAllClients(password: String, end: String) {
        #expect(Bcrypt.aerospikeHash(of: password) == "$2a$10$7EqJtq98hPqEX7fNZaFWoO" + end)
    }

    /// With a cost of 4, so as not to take long.
    @Test func only72BytesCount() {
        func hash(_ count: Int) -> String? {
            Bcrypt.hash(String(repeating: "x", count: count), salt: "7EqJtq98hPqEX7fNZaFWoO", cost: 4)
        }
        #expect(hash(71) != hash(72))
        #expect(hash(72) == hash(100))
    }

    @Test func whatIsNoSaltOrCostIsRefused() {
        #expect(Bcrypt.hash("a", salt: "7EqJtq98hPqEX7fNZaFW", cost: 4) == nil)
        #expect(Bcrypt.hash("a", salt: "7EqJtq98hPqEX7fNZaFWo=", cost: 4) == nil)
        #expect(Bcrypt.hash("a", salt: "7EqJtq98hPqEX7fNZaFWoO", cost: 3) == nil)
        #expect(Bcrypt.hash("a", salt: "7EqJtq98hPqEX7fNZaFWoO", cost: 32) == nil)
    }
}
