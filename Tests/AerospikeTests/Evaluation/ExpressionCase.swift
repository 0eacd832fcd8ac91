import Aerospike

/// An expression of whatever type, to be compared.
protocol ExpressionCase {
    var packedCase: [UInt8] { get }
    func reading(as name: String) -> Operation
    func writing(to bin: String) -> Operation
}

extension Exp: ExpressionCase {
    var packedCase: [UInt8] { packed }

    func reading(as name: String) -> Operation { .read(self, as: name) }

    func writing(to bin: String) -> Operation { .write(self, to: bin) }
}

extension ExpressionGenerator {
    /// A random expression of a random type.
    static func expression(seed: UInt64, asksMetadata: Bool = true) -> any ExpressionCase {
        var generator = ExpressionGenerator(seed: seed)
        generator.asksMetadata = asksMetadata
        return switch generator.number(0..<8) {
        case 0, 1: generator.bool()
        case 2, 3: generator.int()
        case 4: generator.double()
        case 5: generator.string()
        case 6: generator.list()
        default: generator.map()
        }
    }
}
