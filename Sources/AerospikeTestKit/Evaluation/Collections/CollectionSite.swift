import Aerospike

/// Where an operation works: the list or map, or what it is to become.
struct CollectionSite {
    /// The list or map; nil if there is none.
    var value: Value?
    /// Whether it is the bin itself, so that an index can be stored beside it.
    var isBin: Bool
    /// Whether there is no bin yet.
    var isInMissingBin: Bool
    /// Whether the way there creates it, together with what is missing on the way, once something is written.
    var isCreatedByPath: Bool

    /// Whether there is nothing yet.
    var isMissing: Bool { value == nil }
}

/// What an operation came to.
struct CollectionEffect {
    var answer: Value?
    /// What is written; nil if nothing is.
    var written: Value?
}

extension CollectionEffect {
    static func answering(_ answer: Value?) -> CollectionEffect {
        CollectionEffect(answer: answer, written: nil)
    }

    static func writing(_ list: Value.List, answering answer: Value? = nil) -> CollectionEffect {
        CollectionEffect(answer: answer, written: .list(list))
    }

    static func writing(_ map: Value.Map, answering answer: Value? = nil) -> CollectionEffect {
        CollectionEffect(answer: answer, written: .map(map))
    }

    static let nothing = CollectionEffect(answer: nil, written: nil)
}

/// What a selector selected.
struct CollectionSelection {
    /// The elements to remove, if the operation removes.
    enum Removal {
        case nothing
        case range(Range<Int>)
        case marked([Bool])
    }

    var answer: Value?
    var removal: Removal
}

extension CollectionSelection.Removal {
    /// What stays; nil if everything does.
    func remaining<Element>(of elements: [Element]) -> [Element]? {
        switch self {
        case .nothing: return nil
        case .range(let range):
            var elements = elements
            elements.removeSubrange(range)
            return elements
        case .marked(let mask):
            guard mask.contains(true) else { return nil }
            return zip(mask, elements).filter { !$0.0 }.map(\.1)
        }
    }

    /// What is written although nothing is removed: an empty list whose values were looked through, all of none of which
    /// are removed then (base/particle_list.c).
    func rewritten<Element>(_ elements: [Element]) -> [Element]? {
        guard case .marked = self, elements.isEmpty else { return nil }
        return elements
    }
}
