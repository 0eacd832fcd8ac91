import Aerospike
import NIOCore

extension ExpressionEvaluator.RecordView {
    /// What a server knows about the record.
    func metadata(_ code: ExpCode) -> Value? {
        switch code {
        // The node keeps its records in memory, so they take nothing on a device.
        case .deviceSize: 0
        case .memorySize, .recordSize: .integer(Int64(recordBytes))
        case .lastUpdate: .integer(lastUpdateMilliseconds * 1_000_000)
        case .sinceUpdate: .integer(max(0, nowNanoseconds / 1_000_000 - lastUpdateMilliseconds))
        case .voidTime: .integer(voidTimeSeconds.map { $0 &* 1_000_000_000 } ?? -1)
        // A record that is over and still there has a second to live.
        case .timeToLive: .integer(voidTimeSeconds.map { max(1, $0 &- nowNanoseconds / 1_000_000_000) } ?? -1)
        case .setName: .string(key.setName)
        case .keyExists: .boolean(storesUserKey)
        case .isTombstone: .boolean(isTombstone)
        default: nil
        }
    }

    /// The rest of a division of the digest's last four bytes, read little-endian.
    func digestModulo(_ divisor: Int32) -> Value {
        let number = key.digest.bytes.suffix(4).reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return .integer(number % Int64(divisor))
    }

    /// The application's own key, if it is known and of a type.
    func userKey(_ type: ExpressionType) -> Value? {
        guard hasBins, storesUserKey, let key = key.userKey?.value, type.includes(key) else { return nil }
        return key
    }

    private var lastUpdateMilliseconds: Int64 { lastUpdateNanoseconds / 1_000_000 }
}
