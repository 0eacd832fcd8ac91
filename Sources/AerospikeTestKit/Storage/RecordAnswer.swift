package import Aerospike

/// What a call on one record came to.
package struct RecordAnswer: Sendable, Hashable {
    /// One operation's place in the reply.
    package struct Place: Sendable, Hashable {
        package var kind: Operation.Kind
        package var bin: Bin

        package init(_ kind: Operation.Kind, _ bin: Bin) {
            self.kind = kind
            self.bin = bin
        }
    }

    package var code: ResultCode
    package var generation: UInt32
    /// When the record ends, in seconds since the beginning of 2010; 0 if never.
    package var voidTime: UInt32
    package var places: [Place]
    /// What it changed; nil if nothing.
    package var change: RecordChange?
    /// Why it was refused, if it was.
    package var refusal: Refusal?

    package init(_ code: ResultCode, generation: UInt32 = 0, voidTime: UInt32 = 0, places: [Place] = []) {
        self.code = code
        self.generation = generation
        self.voidTime = voidTime
        self.places = places
    }

    package init(_ refusal: Refusal) {
        self.init(refusal.code)
        self.refusal = refusal
    }

    /// What the node does not know and a real server may well do; such a refusal is to be reported loudly.
    package var unknown: Refusal? {
        refusal.flatMap { $0.isUnknown ? $0 : nil }
    }
}
