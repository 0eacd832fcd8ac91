import Aerospike
import AerospikeTestKit
import Glibc
import NIOCore

/// What a real server did, one operation a line: whether it modifies, the bin, the operation, the code, the answer and
/// the bin afterwards, all in hexadecimal and none as `-`.
///
/// A bin with an index stored beside it, which the server tells nobody, has a `+` before it.
struct CollectionVectors {
    /// One line.
    struct Vector {
        var line: Substring
        var modifies: Bool
        var bin: Value?
        var call: ByteBuffer
        var result: CollectionResult
    }

    private var lines: [String] = []
    private var countByCode: [[UInt8]: Int] = [:]

    /// Adds what the server did, unless there is enough of the kind.
    mutating func add(
        _ call: ByteBuffer,
        modifies: Bool,
        on bin: Value?,
        answering answer: Value,
        leaving binAfter: Value
    ) {
        let after = binAfter.exactDescription == bin.exactDescription ? "=" : Self.hex(binAfter)
        add(call, modifies: modifies, on: bin, "0 \(Self.hex(answer)) \(after)")
    }

    /// Adds what the server refused, unless there is enough of the kind.
    mutating func add(_ call: ByteBuffer, modifies: Bool, on bin: Value?, refusedWith code: ResultCode) {
        add(call, modifies: modifies, on: bin, "\(code.rawValue) - =")
    }

    private mutating func add(_ call: ByteBuffer, modifies: Bool, on bin: Value?, _ result: String) {
        // The same code on the same kind of bin, refused or not, is one kind.
        let isNested = call.getInteger(at: call.readerIndex + 1, as: UInt8.self) == 0xcc
        let order = bin?.map?.order.rawValue ?? bin?.list?.order.rawValue ?? 0xff
        let persists = bin?.map?.persistsIndex ?? bin?.list?.persistsIndex == true
        var kind = [UInt8(result.hasPrefix("0 ") ? 1 : 0), isNested ? 1 : 0, order, persists ? 1 : 0]
        kind += call.readableBytesView.suffix(isNested ? 0 : call.readableBytes).prefix(3)
        countByCode[kind, default: 0] += 1
        guard countByCode[kind, default: 0] <= (isNested ? 20 : 1), call.readableBytes < 60, Self.hex(bin).count < 160 else {
            return
        }
        lines.append("\(modifies ? "m" : "r") \(persists ? "+" : "")\(Self.hex(bin)) \(Self.hex(call)) \(result)")
    }

    /// Writes the lines to a file.
    ///
    /// - Throws: ``CollectionServer/Failure`` if it cannot be written.
    func write(to path: String) throws {
        guard let file = fopen(path, "w") else { throw CollectionServer.Failure(reason: "\(path) cannot be written") }
        defer { fclose(file) }
        for line in lines {
            fputs(line + "\n", file)
        }
    }

    /// Reads lines.
    ///
    /// - Throws: ``CollectionServer/Failure`` for a line that is none.
    static func parse(_ bytes: [UInt8]) throws -> [Vector] {
        try String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 6, let code = Int(words[3]) else {
                throw CollectionServer.Failure(reason: "no vector: \(line)")
            }
            let bin = try value(words[1])
            let after = words[5] == "=" ? bin : try value(words[5])
            let result =
                code == 0
                ? CollectionResult(answer: try value(words[4]), bin: after)
                : CollectionResult(code: ResultCode(rawValue: code), bin: after)
            return Vector(
                line: line,
                modifies: words[0] == "m",
                bin: bin,
                call: ByteBuffer(bytes: self.bytes(words[2])),
                result: result
            )
        }
    }

    // MARK: Hexadecimal

    private static func hex(_ value: Value?) -> String {
        guard let value, value != .null else { return "-" }
        var buffer = ByteBuffer()
        buffer.packValue(value)
        return hex(buffer)
    }

    private static func hex(_ buffer: ByteBuffer) -> String {
        buffer.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }

    private static func value(_ word: String) throws -> Value? {
        if word == "-" {
            return nil
        }
        let persistsIndex = word.hasPrefix("+")
        var buffer = ByteBuffer(bytes: bytes(persistsIndex ? String(word.dropFirst()) : word))
        let value = try buffer.unpackValue()
        guard persistsIndex else { return value }
        switch value {
        case .list(var list):
            list.persistsIndex = true
            return .list(list)
        case .map(var map):
            map.persistsIndex = true
            return .map(map)
        default: return value
        }
    }
}
