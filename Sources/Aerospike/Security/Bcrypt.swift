/// The password hash bcrypt, in its form `2a` (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999).
package enum Bcrypt {
    /// The most bytes of a password that count; the rest is ignored.
    package static let passwordBytesMax = 72

    private static let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// Hashes a password with the salt and cost that all of Aerospike's clients use.
    ///
    /// The salt has to be the same everywhere, for the hash takes the password's place between client and server
    /// (aerospike-client-go, admin_command.go, `hashPassword`). It takes some tens of milliseconds.
    package static func aerospikeHash(of password: String) -> String {
        hash(password, salt: "7EqJtq98hPqEX7fNZaFWoO", cost: 10) ?? ""
    }

    /// Hashes a password.
    ///
    /// - Parameters:
    ///   - password: the password, which must not hold the character of code 0.
    ///   - saltText: 16 bytes in bcrypt's own kind of Base64, which is 22 characters.
    ///   - cost: the binary logarithm of the number of rounds, from 4 to 31.
    /// - Returns: the hash's text of 60 characters; nil if the salt or cost are not of the form.
    package static func hash(_ password: String, salt saltText: String, cost: Int) -> String? {
        guard let salt = decode(saltText), salt.count == 16, (4...31).contains(cost) else { return nil }
        let saltWords = stride(from: 0, to: 16, by: 4).map { start in
            salt[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        // The byte 0 at the end counts as a part of the key, if there is room for it.
        let key = Array((Array(password.utf8) + [0]).prefix(passwordBytesMax))
        var cipher = Blowfish()
        cipher.expand(key: key, salt: saltWords)
        for _ in 0..<(1 << cost) {
            cipher.expand(key: key)
            cipher.expand(key: salt)
        }
        var bytes: [UInt8] = []
        var text = Array("OrpheanBeholderScryDoubt".utf8)[...]
        while !text.isEmpty {
            func word() -> UInt32 {
                defer { text = text.dropFirst(4) }
                return text.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            }
            var block = (left: word(), right: word())
            for _ in 0..<64 {
                block = cipher.encipher(block)
            }
            for word in [block.left, block.right] {
                bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
            }
        }
        // The last byte has always been left out.
        let cost = cost < 10 ? "0\(cost)" : "\(cost)"
        return "$2a$\(cost)$" + encode(salt) + encode(bytes.dropLast())
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (16 - 8 * UInt32($1.offset)) }
            for position in 0...group.count {
                text.append(alphabet[Int(bits >> (18 - 6 * UInt32(position)) & 0x3f)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var bitCount = 0
        for character in text.utf8 {
            guard let sextet = alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(sextet)
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
            }
        }
        return bytes
    }
}
