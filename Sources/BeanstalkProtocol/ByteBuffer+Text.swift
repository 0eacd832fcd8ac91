import NIOCore

extension ByteBuffer {
    /// Writes `word`, a number and CRLF: the whole of most replies that carry a number.
    @inline(__always)
    mutating func writeLine(_ word: StaticString, _ number: UInt64) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: word.utf8CodeUnitCount + 22) { target in
            var end = copy(word, to: target, at: 0)
            end = print(number, to: target, at: end)
            return printEndOfLine(to: target, at: end)
        }
    }

    /// Writes `word`, two numbers with a space between them, and CRLF.
    @inline(__always)
    mutating func writeLine(_ word: StaticString, _ first: UInt64, _ second: UInt64) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: word.utf8CodeUnitCount + 43) { target in
            var end = copy(word, to: target, at: 0)
            end = print(first, to: target, at: end)
            target[end] = UInt8(ascii: " ")
            end = print(second, to: target, at: end &+ 1)
            return printEndOfLine(to: target, at: end)
        }
    }

    /// Writes a number in decimal.
    mutating func writeDecimal(_ number: UInt64) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { print(number, to: $0, at: 0) }
    }

    /// Writes `key: number` and LF.
    mutating func writeEntry(_ key: StaticString, _ number: UInt64) {
        writeStaticString(key)
        writeStaticString(": ")
        writeDecimal(number)
        writeStaticString("\n")
    }

    /// Writes `key: "text"` and LF.
    ///
    /// A character that would end the text, or the line, becomes a space.
    mutating func writeQuotedEntry(_ key: StaticString, _ text: String) {
        writeStaticString(key)
        writeStaticString(": \"")
        let isPlain = text.utf8.allSatisfy {
            (32...126).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPlain {
            writeString(text)
        } else {
            writeString(
                String(
                    text.unicodeScalars.map {
                        $0.isASCII && $0.value >= 32 && $0 != "\"" && $0 != "\\" ? Character($0) : " "
                    }
                )
            )
        }
        writeStaticString("\"\n")
    }

    /// Writes `key: seconds.microseconds` and LF.
    mutating func writeSecondsEntry(_ key: StaticString, microseconds: UInt64) {
        writeStaticString(key)
        writeStaticString(": ")
        writeDecimal(microseconds / 1_000_000)
        writeStaticString(".")
        let fraction = String(microseconds % 1_000_000)
        writeString(String(repeating: "0", count: 6 - fraction.count) + fraction)
        writeStaticString("\n")
    }
}

@inline(__always)
private func copy(_ word: StaticString, to target: UnsafeMutableRawBufferPointer, at start: Int) -> Int {
    let source = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    UnsafeMutableRawBufferPointer(rebasing: target[start..<(start &+ source.count)]).copyMemory(from: source)
    return start &+ source.count
}

@inline(__always)
private func printEndOfLine(to target: UnsafeMutableRawBufferPointer, at start: Int) -> Int {
    target[start] = 13
    target[start &+ 1] = 10
    return start &+ 2
}

/// Prints a number, at most 20 digits, and returns where it ends.
@inline(__always)
private func print(_ number: UInt64, to target: UnsafeMutableRawBufferPointer, at start: Int) -> Int {
    var count = 1
    var bound: UInt64 = 10
    while number >= bound {
        count &+= 1
        let (next, overflows) = bound.multipliedReportingOverflow(by: 10)
        if overflows { break }
        bound = next
    }
    var rest = number
    var index = start &+ count
    repeat {
        index &-= 1
        let quotient = rest / 10
        target[index] = UInt8(truncatingIfNeeded: rest &- quotient &* 10) &+ UInt8(ascii: "0")
        rest = quotient
    } while index > start
    return start &+ count
}
