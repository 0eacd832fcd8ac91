#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where nodes say what nobody expects.
enum StandardError {
    /// Prints a line.
    static func print(_ line: String) {
        let bytes = Array("AerospikeTestKit: \(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
