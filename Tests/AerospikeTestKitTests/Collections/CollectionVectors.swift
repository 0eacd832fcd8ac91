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
    private var countByKind: [[Int64]: Int] = [:]

    /// Adds what the server did, unless there is enough of the kind.
    mutating func add(
        _ call: ByteBuffer,
        modifies: Bool,
        on bin: Value?,
        answering answer: Value,
        leaving binAfter: Value
    ) {
        let after = binAfter.exactDescription == bin.exactDescription ? "=" : Self.hex(binAfter)
        let hasMany = answer.list?.count ?? answer.map?.count ?? 0 > 1
        add(call, modifies: modifies, on: bin, "0 \(Self.hex(answer)) \(after)", hasMany: hasMany)
    }

    /// Adds what the server refused, unless there is enough of the kind.
    mutating func add(_ call: ByteBuffer, modifies: Bool, on bin: Value?, refusedWith code: ResultCode) {
        add(call, modifies: modifies, on: bin, "\(code.rawValue) - =", hasMany: false)
    }

    private mutating func add(
        _ call: ByteBuffer,
        modifies: Bool,
        on bin: Value?,
        _ result: String,
        hasMany: Bool
    ) {
        let persists = bin?.map?.persistsIndex ?? bin?.list?.persistsIndex == true
        let kind = Self.kind(of: call, on: bin, result, hasMany: hasMany)
        guard call.readableBytes < 24, Self.hex(bin).count < 90, countByKind[kind, default: 0] < 1 else { return }
        countByKind[kind, default: 0] += 1
        lines.append("\(modifies ? "m" : "r") \(persists ? "+" : "")\(Self.hex(bin)) \(Self.hex(call)) \(result)")
    }

    /// What makes an operation a case of its own: its code and return type and how the bin is kept, or that it is
    /// refused; of one that is nested, the code and the last step.
    private static func kind(of call: ByteBuffer, on bin: Value?, _ result: String, hasMany: Bool) -> [Int64] {
        var call = call
        guard let parts = try? call.unpackValue().list?.elements, let code = parts.first?.integer else { return [] }
        let outcome = Int64(result.prefix { $0 != " " }) ?? 0
        guard code != 0xff || parts.count != 3 else {
            let steps = parts[1].list?.elements ?? []
            let inner = parts[2].list?.elements ?? []
            return [outcome, code, inner.first?.integer ?? 0, outcome == 0 ? steps.dropLast().last?.integer ?? 0 : 0]
        }
        let isSelector = (19...27).contains(code) || (32...40).contains(code) || code > 75
        let returning = isSelector ? parts.dropFirst().first?.integer ?? 0 : 0
        guard outcome == 0, returning < 0x1_0000 else { return [outcome, code, outcome == 0 ? 0x1_0000 : 0] }
        // How the bin is kept shows in the order of answers.
        guard hasMany, returning == 1 || returning == 3 || returning == 7 else { return [outcome, code, returning] }
        let order = bin?.map?.order.rawValue ?? bin?.list?.order.rawValue ?? 0
        return [outcome, code, returning, Int64(order), bin?.map?.persistsIndex == true ? 1 : 0]
    }

    /// Writes the lines to a file.
    ///
    /// - Throws: ``CollectionFailure`` if it cannot be written.
    func write(to path: String) throws {
        guard let file = fopen(path, "w") else { throw CollectionFailure(reason: "\(path) cannot be written") }
        defer { fclose(file) }
        for line in lines {
            fputs(line + "\n", file)
        }
    }

    /// Reads lines.
    ///
    /// - Throws: ``CollectionFailure`` for a line that is none.
    static func parse(_ bytes: [UInt8]) throws -> [Vector] {
        try String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 6, let code = Int(words[3]) else {
                throw CollectionFailure(reason: "no vector: \(line)")
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
