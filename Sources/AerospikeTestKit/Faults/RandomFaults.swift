public import Aerospike

/// What goes wrong with calls on records by chance: how likely each fault is, and the seed of the dice.
///
/// Each connection has dice of its own, made of the seed, its node and its number there, and every request takes one
/// throw. A run with the same connections and requests therefore meets the same faults, whatever runs beside it.
public struct RandomFaults: Sendable, Hashable {
    /// The seed.
    public var seed: UInt64

    /// How likely a call is carried out and never answered; the connection is then closed or stalls, as likely as not.
    public var swallowReply = 0.0

    /// How likely a call is not carried out and its connection closed or stalled.
    public var dropRequest = 0.0

    /// How likely a reply is held back.
    public var delayReply = 0.0

    /// The longest that a reply is held back.
    public var delayMax = Duration.milliseconds(50)

    /// How likely a connection is cut in the middle of a reply.
    public var cutReply = 0.0

    /// How likely a call is answered with one of ``resultCodes`` and not carried out.
    public var answerCode = 0.0

    /// The codes that are answered then.
    public var resultCodes: [ResultCode] = [.timeout, .keyBusy, .deviceOverload]

    /// Nothing yet, with a seed.
    ///
    /// - Parameter seed: the seed; by default one by chance, which the cluster prints when it starts.
    public init(seed: UInt64 = .random(in: .min ... .max)) {
        self.seed = seed
    }

    /// What goes wrong with a request.
    ///
    /// - Parameters:
    ///   - node: the node's place.
    ///   - connection: the connection's number on that node.
    ///   - request: the request's number on that connection.
    /// - Returns: what goes wrong; nil if nothing does.
    package func effect(node: Int, connection: Int, request: Int) -> Fault.Effect? {
        var dice = Dice(seed: seed, UInt64(node), UInt64(connection), UInt64(request))
        var throwing = dice.fraction()
        let aftermath: Fault.Aftermath = dice.next() & 1 == 0 ? .close : .stall
        func falls(_ likelihood: Double) -> Bool {
            defer { throwing -= likelihood }
            return throwing >= 0 && throwing < likelihood
        }
        if falls(swallowReply) { return .swallowReply(then: aftermath) }
        if falls(dropRequest) { return .dropRequest(then: aftermath) }
        if falls(delayReply) { return .delayReply(delayMax * dice.fraction()) }
        if falls(cutReply) { return .cutReply(afterBytes: Int(dice.next() % 30)) }
        if falls(answerCode), !resultCodes.isEmpty {
            return .answer(resultCodes[Int(dice.next() % UInt64(resultCodes.count))], isApplied: false)
        }
        return nil
    }
}

/// Numbers that follow from a seed (SplitMix64).
package struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64, _ parts: UInt64...) {
        state = seed
        for part in parts {
            state = next() ^ part
        }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }

    /// A number from 0 to below 1.
    package mutating func fraction() -> Double {
        Double(next() >> 11) / 9_007_199_254_740_992
    }
}
