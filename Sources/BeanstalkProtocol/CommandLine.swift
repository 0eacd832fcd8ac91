#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

import BeanspikeCore

/// One command line without its CRLF, read from left to right.
///
/// Numbers and names are read as prot.c reads them (`read_u64`, `read_u32`, `read_tube_name`, `strtoul`).
struct CommandLine {
    private let bytes: UnsafeRawBufferPointer
    private var position: Int

    /// The line in `bytes`, which must not be empty of an address.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        position = 0
    }

    /// The first byte, 0 for an empty line.
    var first: UInt8 { bytes.isEmpty ? 0 : bytes[0] }

    /// Whether everything is read.
    var isAtEnd: Bool { position == bytes.count }

    /// Whether there is a NUL anywhere in the line.
    var hasNUL: Bool {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return false }
        return memchr(base, 0, bytes.count) != nil
    }

    /// Reads past the word if the line starts with it.
    @inline(__always)
    mutating func starts(with word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard count <= bytes.count, let base = bytes.baseAddress, memcmp(base, word.utf8Start, count) == 0 else {
            return false
        }
        position = count
        return true
    }

    /// Whether the line is the word and nothing else.
    mutating func `is`(_ word: StaticString) -> Bool { starts(with: word) && isAtEnd }

    /// Any number of spaces and a decimal number that fits, or nil.
    @inline(__always)
    mutating func readUInt64() -> UInt64? {
        skipSpaces()
        let start = position
        var value: UInt64 = 0
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { break }
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(UInt64(digit))
            if overflows || carries { return nil }
            value = sum
            position &+= 1
        }
        return position > start ? value : nil
    }

    /// Any number of spaces and a decimal number that fits, or nil.
    @inline(__always)
    mutating func readUInt32() -> UInt32? {
        guard let value = readUInt64() else { return nil }
        return UInt32(exactly: value)
    }

    /// A decimal number that is the rest of the line, or nil.
    @inline(__always)
    mutating func readLastUInt64() -> UInt64? {
        guard let value = readUInt64(), isAtEnd else { return nil }
        return value
    }

    /// A decimal number that is the rest of the line, or nil.
    @inline(__always)
    mutating func readLastUInt32() -> UInt32? {
        guard let value = readUInt32(), isAtEnd else { return nil }
        return value
    }

    /// A number as `kick` takes it: by `strtoul` into 32 bits.
    ///
    /// So there may be white space and a sign before it and anything behind it. Nil where there is no number or it
    /// needs more than 64 bits.
    mutating func readKickBound() -> UInt64? {
        while position < bytes.count, CommandLine.isWhiteSpace(bytes[position]) { position += 1 }
        var isNegative = false
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") {
            isNegative = bytes[position] == UInt8(ascii: "-")
            position += 1
        }
        // readUInt64() would take spaces behind a sign.
        guard position < bytes.count, bytes[position] != UInt8(ascii: " "), let value = readUInt64() else { return nil }
        return UInt64(UInt32(truncatingIfNeeded: isNegative ? 0 &- value : value))
    }

    /// The rest of the line if it is a tube's name.
    func readLastTubeName() -> TubeName? {
        TubeName(utf8: UnsafeRawBufferPointer(rebasing: bytes[position...]))
    }

    /// Any number of spaces and as many bytes as may be in a tube's name, at least one, or nil.
    ///
    /// They may still be no valid name.
    mutating func readTubeBytes() -> UnsafeRawBufferPointer? {
        skipSpaces()
        let start = position
        while position < bytes.count, TubeName.isAllowed(bytes[position]) { position += 1 }
        return position > start ? UnsafeRawBufferPointer(rebasing: bytes[start..<position]) : nil
    }

    @inline(__always)
    private mutating func skipSpaces() {
        while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position &+= 1 }
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || (9...13).contains(byte) }
}
