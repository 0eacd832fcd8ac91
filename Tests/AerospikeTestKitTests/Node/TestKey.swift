import Aerospike

/// A key of the tests.
func testKey(_ name: String) -> Key {
    Key(namespace: "test", set: "kit", .string(name))
}
