package import Aerospike

extension Value {
    /// The value as a server stores it: the entries of each map in the order of their keys, also of an unordered one.
    ///
    /// It is nil for what a server refuses to store: a value that only compares, a map with a key twice or with a key
    /// that is no integer, string or blob, and a list or map that says that it is ordered and is not (aerospike-server
    /// 8.1, base/cdt.c, `cdt_untrusted_rewrite`). Whatever comes from a client passes through here before it is kept
    /// in a bin; ``CollectionEvaluator`` counts on it.
    package var stored: Value? {
        switch self {
        case .infinity, .wildcard: nil
        case .list(let list): list.stored.map { .list($0) }
        case .map(let map): map.stored.map { .map($0) }
        default: self
        }
    }

    /// Whether a map that a client sends may have this key.
    var isMapKey: Bool {
        switch self {
        case .integer, .string, .blob: true
        default: false
        }
    }
}

extension Value.List {
    fileprivate var stored: Value.List? {
        var stored = self
        for index in elements.indices {
            guard let element = elements[index].stored else { return nil }
            if order == .ordered, index > 0, elements[index].storedOrder(to: elements[index - 1]) == .less {
                return nil
            }
            stored.elements[index] = element
        }
        return stored
    }
}

extension Value.Map {
    fileprivate var stored: Value.Map? {
        var stored = self
        var isSorted = true
        for index in entries.indices {
            guard entries[index].key.isMapKey, let value = entries[index].value.stored else { return nil }
            stored.entries[index].value = value
            guard index > 0, isSorted else { continue }
            switch entries[index].key.storedOrder(to: entries[index - 1].key) {
            case .greater: break
            case .less where order == .unordered: isSorted = false
            default: return nil
            }
        }
        if !isSorted {
            stored.entries.sort { $0.key.storedOrder(to: $1.key) == .less }
            let hasTwice = zip(stored.entries, stored.entries.dropFirst()).contains { $0.key.isStoredEqual(to: $1.key) }
            guard !hasTwice else { return nil }
        }
        return stored
    }
}
