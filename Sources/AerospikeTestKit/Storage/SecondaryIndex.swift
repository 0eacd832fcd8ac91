package import Aerospike
package import NIOCore

/// The definition of a secondary index; what it holds is found anew by every query.
package struct SecondaryIndex: Sendable, Hashable {
    /// What values it is of (aerospike-server 8.1, sindex/sindex.h; GeoJSON is not among them here).
    package enum ValueType: Sendable, Hashable {
        case integer
        case string
        case blob

        /// As the info protocol names it.
        package var name: String {
            switch self {
            case .integer: "numeric"
            case .string: "string"
            case .blob: "blob"
            }
        }

        package var particleType: ParticleType {
            switch self {
            case .integer: .integer
            case .string: .string
            case .blob: .blob
            }
        }
    }

    package var name: String
    /// The set; nil for every record of the namespace.
    package var setName: String?
    /// The bin; empty if an expression is indexed.
    package var binName: String
    package var type: ValueType
    package var collection: IndexedCollection
    /// The way to what is indexed inside the bin, packed.
    package var context: ByteBuffer?
    /// The expression whose result is indexed, packed.
    package var expression: ByteBuffer?

    package init(
        name: String,
        set setName: String? = nil,
        bin binName: String,
        type: ValueType,
        collection: IndexedCollection = .none,
        context: ByteBuffer? = nil,
        expression: ByteBuffer? = nil
    ) {
        self.name = name
        self.setName = setName
        self.binName = binName
        self.type = type
        self.collection = collection
        self.context = context
        self.expression = expression
    }

    /// Whether it indexes the same as another, whatever they are called.
    package func indexesTheSame(as other: SecondaryIndex) -> Bool {
        var renamed = other
        renamed.name = name
        return self == renamed
    }
}
