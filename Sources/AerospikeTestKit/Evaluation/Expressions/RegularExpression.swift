import Glibc

/// A POSIX regular expression, compiled by the C library as a server's are.
final class RegularExpression {
    private let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    private var isCompiled = true

    /// Compiles a pattern; nil if it is not one.
    ///
    /// - Parameters:
    ///   - pattern: the pattern, of which the C library sees what is before the first zero.
    ///   - options: the C library's own flags.
    init?(_ pattern: [UInt8], options: Int32) {
        compiled.initialize(to: regex_t())
        let code = (pattern + [0]).withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { regcomp(compiled, $0, options) } ?? -1
            }
        }
        guard code == 0 else {
            isCompiled = false
            return nil
        }
    }

    deinit {
        // After a failure the C library has nothing to free.
        if isCompiled {
            regfree(compiled)
        }
        compiled.deallocate()
    }

    /// Whether the pattern is somewhere in a text, up to the text's first zero.
    func matches(_ text: String) -> Bool {
        text.withCString { regexec(compiled, $0, 0, nil, 0) } == 0
    }
}
