import BeanspikeCore
import BeanstalkProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import BeanspikeServer

@Suite("A connection in front of a store that answers later")
struct ConnectionHandlerTests {
    @Test("A whole read is one batch, and its replies are one write")
    func batch() throws {
        let bench = try Bench()
        try bench.send("put 0 0 1 1\r\na\r\nput 0 0 1 2\r\nbc\r\ndelete 1\r\n")
        #expect(bench.port.takeCommands() == ["put a", "put bc", "delete"])
        #expect(try bench.writes() == [])
        bench.answer(.inserted(1), .inserted(2), .deleted)
        #expect(try bench.writes() == ["INSERTED 1\r\nINSERTED 2\r\nDELETED\r\n"])
    }

    @Test("What is settled without the store keeps its place among the store's replies")
    func order() throws {
        let bench = try Bench()
        try bench.send("put 0 0 1 1\r\na\r\nbad\r\nput 0 0 x\r\nput 0 0 1 1\r\nb\r\nworse\r\n")
        #expect(try bench.writes() == [])
        bench.answer(.inserted(1))
        #expect(try bench.writes() == ["INSERTED 1\r\nUNKNOWN_COMMAND\r\nBAD_FORMAT\r\n"])
        try bench.send("put 0 0 1 1\r\nc\r\nworst\r\n")
        #expect(try bench.writes() == [])
        bench.answer(.inserted(2), .inserted(3))
        #expect(try bench.writes() == ["INSERTED 2\r\nUNKNOWN_COMMAND\r\nINSERTED 3\r\nUNKNOWN_COMMAND\r\n"])
        try bench.send("x\r\n")
        #expect(try bench.writes() == ["UNKNOWN_COMMAND\r\n"])
    }

    @Test("flush-tube is answered FLUSHED, truncate TRUNCATED, wherever they stand")
    func flush() throws {
        let bench = try Bench()
        try bench.send("truncate a\r\nflush-tube a\r\nx\r\nflush-tube b\r\nflush-tube c\r\ntruncate b\r\n")
        bench.answer(.truncated(1), .truncated(2), .truncated(3), .notFound, .truncated(5))
        #expect(
            try bench.writes() == [
                "TRUNCATED 1\r\nFLUSHED 2\r\nUNKNOWN_COMMAND\r\nFLUSHED 3\r\nNOT_FOUND\r\nTRUNCATED 5\r\n"
            ]
        )
    }

    @Test("Bodies come out of the batch that brought them")
    func bodies() throws {
        let bench = try Bench()
        try bench.send("reserve-with-timeout 0\r\npeek 2\r\n")
        func job(_ id: JobID, _ offset: Int, _ count: Int) -> JobView {
            let body = ByteRange(offset: offset, count: count)
            return JobView(id: id, body: body, priority: 0, ttrSeconds: 1, reserves: 1, attributes: nil)
        }
        bench.answer(.reserved(job(1, 0, 5)), .found(job(2, 5, 3)), body: "helloabc")
        #expect(try bench.writes() == ["RESERVED 1 5\r\nhello\r\nFOUND 2 3\r\nabc\r\n"])
    }

    @Test("A body in many pieces is submitted once, when it is complete")
    func pieces() throws {
        let bench = try Bench()
        try bench.send("put 0 0 1 3000\r")
        try bench.send("\n")
        for _ in 0..<30 { try bench.send(String(repeating: "x", count: 100)) }
        #expect(bench.port.takeCommands() == [])
        try bench.send("\r\ndelete 1\r\ndele")
        #expect(bench.port.takeCommands() == ["put " + String(repeating: "x", count: 3_000), "delete"])
        try bench.send("te 2\r\n")
        #expect(bench.port.takeCommands() == ["delete"])
    }

    @Test("Nothing is parsed while a reserve waits; what came meanwhile goes on when it is answered")
    func blocked() throws {
        let bench = try Bench()
        bench.port.reserveBlocks(true)
        try bench.send("reserve\r\ndelete 1\r\n")
        #expect(bench.port.takeCommands() == ["reserve", "delete"])
        try bench.send("put 0 0 1 1\r\na\r\n")
        #expect(bench.port.takeCommands() == [])
        bench.port.unblock(0)
        bench.answer(.timedOut, .notFound)
        #expect(try bench.writes() == ["TIMED_OUT\r\nNOT_FOUND\r\n"])
        #expect(bench.port.takeCommands() == ["put a"])
    }

    @Test("A client that closes its side gets TIMED_OUT for a waiting reserve, all other replies, and the end")
    func halfClosed() throws {
        let bench = try Bench()
        bench.port.reserveBlocks(true)
        try bench.send("reserve\r\n")
        try bench.send("reserve\r\nput 0 0 1 1\r\na\r\nput 0 0 1 9\r\nnever")
        bench.closeInput()
        // The first wait ends, what came behind it is submitted, and the second wait ends too.
        #expect(bench.port.endedWaits == [0, 0])
        #expect(bench.port.takeCommands() == ["reserve", "reserve", "put a"])
        #expect(try bench.writes().joined() == "TIMED_OUT\r\nTIMED_OUT\r\n")
        #expect(bench.channel.isActive)
        bench.answer(.inserted(1))
        #expect(try bench.writes() == ["INSERTED 1\r\n"])
        #expect(!bench.channel.isActive)
        #expect(bench.port.closedSessions == [0])
    }

    @Test("A client that closes its side and is owed nothing is closed")
    func halfClosedIdle() throws {
        let bench = try Bench()
        bench.closeInput()
        #expect(!bench.channel.isActive)
        #expect(bench.port.closedSessions == [0])
    }

    @Test("quit closes behind the replies that are owed, and nothing behind it is looked at")
    func quit() throws {
        let bench = try Bench()
        try bench.send("delete 1\r\nquit\r\ndelete 2\r\n")
        try bench.send("delete 3\r\n")
        #expect(bench.port.takeCommands() == ["delete"])
        #expect(bench.channel.isActive)
        bench.answer(.deleted)
        #expect(try bench.writes() == ["DELETED\r\n"])
        #expect(!bench.channel.isActive)
    }

    @Test("Draining turns jobs away from the moment it begins until it ends")
    func draining() throws {
        let bench = try Bench()
        bench.counters.isDraining = true
        try bench.send("put 0 0 1 1\r\na\r\n")
        #expect(try bench.writes() == ["DRAINING\r\n"])
        bench.counters.isDraining = false
        try bench.send("put 0 0 1 1\r\nb\r\n")
        #expect(bench.port.takeCommands() == ["put b"])
    }

    @Test("stats has the server's part: counts, producers, workers, connections")
    func statistics() throws {
        let bench = try Bench()
        try bench.send("put 0 0 1 1\r\na\r\nreserve-with-timeout 0\r\nstats\r\n")
        bench.answer(.inserted(1), .timedOut, .storeStatistics(StoreStatistics()))
        let text = try bench.writes().joined()
        for line in [
            "cmd-put: 1", "cmd-reserve-with-timeout: 1", "cmd-stats: 1", "cmd-delete: 0", "current-connections: 1",
            "current-producers: 1", "current-workers: 1", "total-connections: 1", "max-job-size: 65535",
            "draining: false",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        try bench.channel.close().wait()
        let left = bench.counters.statistics()
        #expect(left.connections == 0 && left.producers == 0 && left.workers == 0 && left.connectionsTotal == 1)
    }

    @Test("A reserve-job makes a worker of whoever gets its job")
    func workerByReserveJob() throws {
        let bench = try Bench()
        try bench.send("reserve-job 1\r\nreserve-job 2\r\n")
        bench.answer(.notFound)
        #expect(bench.counters.statistics().workers == 0)
        let job = JobView(id: 2, body: .empty, priority: 0, ttrSeconds: 1, reserves: 1, attributes: nil)
        bench.answer(.reserved(job))
        #expect(bench.counters.statistics().workers == 1)
    }
}
