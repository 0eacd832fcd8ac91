public import NIOCore

extension Exp where Output == Bool {
    /// A truth value.
    public init(_ value: Bool) {
        self.init(constant: .boolean(value))
    }
}

extension Exp where Output == Int {
    /// An integer.
    public init(_ value: Int) {
        self.init(constant: .integer(Int64(value)))
    }
}

extension Exp where Output == Double {
    /// A double.
    public init(_ value: Double) {
        self.init(constant: .double(value))
    }
}

extension Exp where Output == String {
    /// A string.
    public init(_ value: String) {
        self.init(constant: .string(value))
    }
}

extension Exp where Output == ByteBuffer {
    /// A blob.
    public init(_ value: ByteBuffer) {
        self.init(constant: .blob(value))
    }
}

extension Exp where Output == Value.List {
    /// A list.
    public init(_ value: Value.List) {
        self.init(constant: .list(value))
    }
}

extension Exp where Output == Value.Map {
    /// A map.
    ///
    /// There is no literal of its own: write `Exp(["a": 1])`.
    public init(_ value: Value.Map) {
        self.init(constant: .map(value))
    }
}

extension Exp where Output == GeoJSON {
    /// A GeoJSON object, as its text.
    public init(geoJSON text: String) {
        self.init(constant: .geoJSON(text))
    }
}

extension Exp: ExpressibleByBooleanLiteral where Output == Bool {
    /// A truth value.
    public init(booleanLiteral value: Bool) {
        self.init(value)
    }
}

extension Exp: ExpressibleByIntegerLiteral where Output: ExpNumber {
    /// A number.
    public init(integerLiteral value: Int) {
        self.init(constant: Output.expConstant(value))
    }
}

extension Exp: ExpressibleByFloatLiteral where Output == Double {
    /// A double.
    public init(floatLiteral value: Double) {
        self.init(value)
    }
}

extension Exp: ExpressibleByUnicodeScalarLiteral where Output == String {
    /// A string.
    public init(unicodeScalarLiteral value: String) {
        self.init(value)
    }
}

extension Exp: ExpressibleByExtendedGraphemeClusterLiteral where Output == String {
    /// A string.
    public init(extendedGraphemeClusterLiteral value: String) {
        self.init(value)
    }
}

extension Exp: ExpressibleByStringLiteral where Output == String {
    /// A string.
    public init(stringLiteral value: String) {
        self.init(value)
    }
}

extension Exp: ExpressibleByArrayLiteral where Output == Value.List {
    /// A list.
    public init(arrayLiteral elements: Value...) {
        self.init(Value.List(elements))
    }
}
