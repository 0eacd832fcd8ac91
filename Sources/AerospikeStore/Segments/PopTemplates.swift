import Aerospike
import NIOCore

/// The operations by which a process reserves jobs, packed but for the numbers that differ.
///
/// The numbers are packed in their full width: a time in eight bytes, a priority in four.
struct PopTemplates: Sendable {
    private let process: ProcessNumber
    private let any: Template?
    private let bounded: Template?

    init(_ process: ProcessNumber) {
        self.process = process
        any = Template(Self.pop(process, Template.someTime, .max))
        bounded = Template(Self.pop(process, Template.someTime, Template.somePriority))
    }

    /// Reserves the best job, if one is ready that is good enough; else it does nothing.
    func pop(_ milliseconds: Int64, _ priorityMax: UInt32) -> Operation {
        let template = priorityMax == .max ? any : bounded
        return template?.filled(milliseconds, priorityMax) ?? Self.pop(process, milliseconds, priorityMax)
    }

    private struct Template: Sendable {
        /// Numbers that stand nowhere else in a pop.
        static let someTime: Int64 = 0x7ead_beef_7ead_be01
        static let somePriority: UInt32 = 0xfead_be02

        private let operation: Operation
        private let timeIndex: Int
        private let priorityIndex: Int?

        /// Nil where the numbers are not to be found.
        init?(_ pop: Operation) {
            guard case .packed(let bytes) = pop.argument,
                let timeIndex = Self.index(of: Self.someTime, in: bytes)
            else { return nil }
            operation = pop
            self.timeIndex = timeIndex
            priorityIndex = Self.index(of: Self.somePriority, in: bytes)
        }

        private static func index<Number: FixedWidthInteger>(of number: Number, in bytes: ByteBuffer) -> Int? {
            let last = bytes.writerIndex - MemoryLayout<Number>.size
            guard last >= bytes.readerIndex else { return nil }
            let found = (bytes.readerIndex...last).filter { bytes.getInteger(at: $0) == number }
            return found.count == 1 ? found[0] : nil
        }

        func filled(_ milliseconds: Int64, _ priorityMax: UInt32) -> Operation? {
            guard milliseconds > 0, case .packed(var bytes) = operation.argument else { return nil }
            bytes.setInteger(milliseconds, at: timeIndex)
            if priorityMax != .max {
                guard let priorityIndex else { return nil }
                bytes.setInteger(priorityMax, at: priorityIndex)
            }
            return Operation(operation.kind, bin: operation.binName, .packed(bytes))
        }
    }

    /// Writes the map with its best job reserved; what it would write is unknown where none is good enough.
    private static func pop(_ process: ProcessNumber, _ milliseconds: Int64, _ priorityMax: UInt32) -> Operation {
        let jobs = Exp<Value.Map>.map(bin: SegmentBin.jobs)
        let best = jobs.list(at: [.mapRank(0)])
        let reserved = Exp<Value.List>([1, .integer(Int64(process)), .integer(milliseconds)])
            .appending(best.get(.index(3), .value(ByteBuffer.self)))
        let isReady = best.get(.index(0), .value(Int.self)) == Exp<Int>(0)
        let isGoodEnough =
            priorityMax == .max
            ? isReady : isReady && best.get(.index(1), .value(Int.self)) <= Exp<Int>(Int(priorityMax))
        let written = jobs.putting(
            jobs.get(.rank(0), .key(Int.self)),
            reserved,
            policy: MapWritePolicy(order: .keyValueOrdered, persistsIndex: true)
        )
        return .write(
            Exp<Value.Map>.cond((when: isGoodEnough, then: written), otherwise: .unknown),
            to: SegmentBin.jobs,
            flags: [.evaluationNoFail]
        )
    }
}
