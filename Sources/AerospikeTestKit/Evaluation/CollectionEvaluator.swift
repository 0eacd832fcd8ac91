package import Aerospike
package import NIOCore

/// Applies one operation on a list or map, as aerospike-server 8.1 does (base/cdt.c, particle_list.c, particle_map.c).
///
/// It counts on bins that hold what a server would hold: what a client sends is passed through
/// ``Aerospike/Value/stored`` first.
package enum CollectionEvaluator {
    /// What an operation came to.
    package struct Outcome: Sendable, Hashable {
        /// What it answers; nil where a real server answers no value at all.
        package var answer: Value?
        /// The bin afterwards; nil where there is none.
        package var bin: Value?

        package init(answer: Value?, bin: Value?) {
            self.answer = answer
            self.bin = bin
        }
    }

    /// The code of an operation on what is nested, with the way there before the operation itself.
    private static let nestedCode: Int64 = 0xff

    /// The first code of an operation on a map; those below are for lists.
    private static let mapCodeMin: Int64 = 64

    /// Applies an operation to a bin.
    ///
    /// - Parameters:
    ///   - packed: the operation as it is sent: a list of code and arguments, with the way to what is nested before it.
    ///   - bin: what the bin holds; nil if there is none.
    ///   - modifies: whether the operation came as one that may change the bin.
    /// - Returns: the answer, and the bin afterwards.
    /// - Throws: ``Refusal`` with the code that a real server answers; nothing is changed then.
    package static func apply(_ packed: ByteBuffer, to bin: Value?, modifies: Bool) throws(Refusal) -> Outcome {
        guard bin != nil || modifies else { return Outcome(answer: nil, bin: nil) }
        var reader = CollectionCallReader(packed)
        guard !reader.isOldForm else { throw .unknown("operations in the form of servers before 3.6") }
        let head = try reader.head()
        guard head.code == nestedCode else {
            return try applyToBin(head, &reader, bin, modifies: modifies)
        }
        guard head.argumentCount == 2 else { throw .parameter("\(head.argumentCount) arguments to what is nested") }
        return try applyToNested(&reader, bin, modifies: modifies)
    }

    private static func applyToBin(
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader,
        _ bin: Value?,
        modifies: Bool
    ) throws(Refusal) -> Outcome {
        guard bin?.isCollection(ofMaps: head.code >= mapCodeMin) ?? true else {
            throw Refusal(.incompatibleType, "the bin holds something else")
        }
        let site = CollectionSite(value: bin, isBin: true, isInMissingBin: bin == nil, isCreatedByPath: false)
        let effect = try apply(head, &reader, site, modifies: modifies)
        return Outcome(answer: effect.answer, bin: effect.written ?? bin)
    }

    private static func applyToNested(
        _ reader: inout CollectionCallReader,
        _ bin: Value?,
        modifies: Bool
    ) throws(Refusal) -> Outcome {
        let path = try CollectionPath(in: bin, &reader, modifies: modifies)
        let head = try reader.head()
        guard path.site.value?.isCollection(ofMaps: head.code >= mapCodeMin) ?? true else {
            throw Refusal(.incompatibleType, "something else is nested there")
        }
        let effect = try apply(head, &reader, path.site, modifies: modifies)
        return Outcome(answer: effect.answer, bin: effect.written.map(path.bin) ?? bin)
    }

    private static func apply(
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader,
        _ site: CollectionSite,
        modifies: Bool
    ) throws(Refusal) -> CollectionEffect {
        var effect: CollectionEffect
        switch (modifies, site.value, head.code >= mapCodeMin) {
        case (true, _, true): effect = try MapEvaluator.modify(site, head, &reader)
        case (true, _, false): effect = try ListEvaluator.modify(site, head, &reader)
        case (false, .list(let list), false): effect = .answering(try ListEvaluator.read(list, head, &reader))
        case (false, .map(let map), true): effect = .answering(try MapEvaluator.read(map, head, &reader))
        default: throw Refusal(.incompatibleType, "neither list nor map")
        }
        // An element that is nil is answered as no value is.
        if effect.answer == .null {
            effect.answer = nil
        }
        return effect
    }
}

extension Value {
    fileprivate func isCollection(ofMaps: Bool) -> Bool {
        switch self {
        case .list: !ofMaps
        case .map: ofMaps
        default: false
        }
    }
}
