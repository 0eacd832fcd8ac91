import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// The way of requests through a connection, without a socket.
struct ConnectionMachineTests {
    private func info(_ name: String) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try InfoMessage.write([name], into: &buffer)
        return buffer
    }

    private func reply(
        _ text: String,
        until: Int64? = nil,
        then aftermath: Fault.Aftermath = .goOn
    ) -> SimulatedCluster.Outcome {
        .answered(
            SimulatedCluster.Reply(
                bytes: ByteBuffer(string: text),
                heldUntilNanoseconds: until,
                aftermath: aftermath
            )
        )
    }

    /// The frame that is to be served next; nil if none is.
    private func frame(_ machine: inout ConnectionMachine, now: Int64 = 0) -> RequestFramer.Frame? {
        guard case .serve(let frame) = machine.next(nowNanoseconds: now, isWoken: false) else { return nil }
        return frame
    }

    /// Tells what came of a request; whether the connection can go on.
    private func answer(
        _ machine: inout ConnectionMachine,
        _ outcome: SimulatedCluster.Outcome,
        _ frame: RequestFramer.Frame?
    ) -> Bool {
        machine.answered(outcome, frame)
    }

    /// What is to be written next; nil if nothing is.
    private func written(_ machine: inout ConnectionMachine, now: Int64 = 0) -> String? {
        guard case .write(let bytes) = machine.next(nowNanoseconds: now, isWoken: false) else { return nil }
        return String(buffer: bytes)
    }

    @Test func oneRequestIsServedAtATime() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        #expect(machine.wantsBytes)
        machine.received(try info("a"))
        machine.received(try info("b"))
        #expect(!machine.wantsBytes)
        #expect(frame(&machine) == .info(ByteBuffer(string: "a\n")))
        #expect(answer(&machine, reply("1"), nil))
        #expect(written(&machine) == "1")
        #expect(frame(&machine) == .info(ByteBuffer(string: "b\n")))
        #expect(answer(&machine, reply("2"), nil))
        #expect(written(&machine) == "2")
        #expect(frame(&machine) == nil)
        #expect(machine.wantsBytes)
    }

    @Test func aHeldReplyHoldsAllBehindIt() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        machine.received(try info("a"))
        machine.received(try info("b"))
        _ = frame(&machine)
        #expect(answer(&machine, reply("1", until: 50), nil))
        #expect(machine.wakeAtNanoseconds == 50)
        #expect(written(&machine, now: 49) == nil)
        #expect(frame(&machine, now: 49) == nil)
        #expect(written(&machine, now: 50) == "1")
        #expect(frame(&machine, now: 50) == .info(ByteBuffer(string: "b\n")))
    }

    @Test func aRequestThatANodeDoesNotTakeIsGivenAgain() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        machine.received(try info("a"))
        guard let taken = frame(&machine) else { throw RawConnection.Unexpected.frame }
        #expect(!answer(&machine, .notRunning, taken))
        #expect(!machine.wantsBytes)
        #expect(frame(&machine) == taken)
    }

    @Test func aStalledConnectionDoesNothingAnyMore() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        machine.received(try info("a"))
        machine.received(try info("b"))
        _ = frame(&machine)
        #expect(answer(&machine, .answered(SimulatedCluster.Reply(aftermath: .stall)), nil))
        #expect(frame(&machine) == nil)
        machine.received(try info("c"))
        #expect(frame(&machine) == nil)
        #expect(!machine.wantsBytes)
        #expect(!machine.isClosed)
        machine.clientClosed(servesLeft: 5)
        #expect(machine.isClosed)
    }

    @Test func aCutConnectionIsClosedAfterItsLastBytes() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        machine.received(try info("a"))
        machine.received(try info("b"))
        _ = frame(&machine)
        #expect(answer(&machine, reply("part", then: .close), nil))
        #expect(written(&machine) == "part")
        guard case .close(nil) = machine.next(nowNanoseconds: 0, isWoken: false) else {
            Issue.record("it is not closed")
            return
        }
        #expect(machine.isClosed)
        #expect(frame(&machine) == nil)
    }

    @Test func afterTheClientHasGoneSomeAreStillServed() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        for name in ["a", "b", "c"] { machine.received(try info(name)) }
        machine.clientClosed(servesLeft: 2)
        for name in ["a", "b"] {
            #expect(frame(&machine) == .info(ByteBuffer(string: name + "\n")))
            #expect(answer(&machine, reply(""), nil))
        }
        #expect(frame(&machine) == nil)
        #expect(machine.isClosed)
    }

    @Test func afterTheNodeHasCutItNothingIsServed() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        for name in ["a", "b"] { machine.received(try info(name)) }
        _ = frame(&machine)
        #expect(answer(&machine, reply("1"), nil))
        machine.cut()
        machine.clientClosed(servesLeft: 5)
        #expect(written(&machine) == nil)
        #expect(frame(&machine) == nil)
        #expect(machine.isClosed)
    }

    @Test func aRequestThatWaitsIsLookedAtWhenItIsWokenOrItsTimeIsOver() throws {
        var machine = ConnectionMachine(requestBytesMax: 1000)
        machine.received(try info("a"))
        _ = frame(&machine)
        let call = PendingCall(node: 0, batch: nil, parts: [], deadlineNanoseconds: 100, effect: nil)
        #expect(answer(&machine, .waiting(call), nil))
        #expect(machine.wakeAtNanoseconds == 100)
        guard case .rest = machine.next(nowNanoseconds: 99, isWoken: false),
            case .resume = machine.next(nowNanoseconds: 99, isWoken: true),
            case .resume = machine.next(nowNanoseconds: 100, isWoken: false)
        else {
            Issue.record("it is not looked at when it should")
            return
        }
    }
}
