import NIOCore

/// A connection's socket: it gives ``ConnectionMachine`` what arrives, and does what that says.
///
/// It reads no further while a request is there that is not answered, or while the client does not take its replies, so
/// that a client which does neither costs no more than one request and one reply.
final class NodeConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How many steps are done at once before other connections have their turn.
    private static let stepsMax = 256

    private let host: ClusterHost
    private let node: Int
    private let isTLS: Bool
    private var machine: ConnectionMachine
    private var connection: NodeConnection
    private var link: ClusterHost.LinkID?
    private var eventLoop: (any EventLoop)?
    /// Nil when the socket is closed.
    private var context: ChannelHandlerContext?
    private var wakesAtNanoseconds: Int64?
    private var isReading = false
    private var isPausing = false
    private var bytesReceived = 0
    private var bytesSent = 0

    init(host: ClusterHost, node: Int, isTLS: Bool) {
        self.host = host
        self.node = node
        self.isTLS = isTLS
        machine = ConnectionMachine(requestBytesMax: host.requestBytesMax)
        connection = NodeConnection(node: node, number: 0)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        eventLoop = context.eventLoop
        let wakeUp = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let opened = host.connectionOpened(
            to: node,
            channel: context.channel,
            wake: { loop.execute { wakeUp.value.wake() } },
            cut: { wakeUp.value.cut() }
        )
        guard let opened else {
            context.close(promise: nil)
            return
        }
        link = opened.link
        connection = NodeConnection(
            node: node,
            number: opened.number,
            isTLS: isTLS,
            clientAddress: context.remoteAddress?.description ?? ""
        )
        readIfWanted()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        bytesReceived += bytes.readableBytes
        machine.received(bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        run(isWoken: false)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            run(isWoken: false)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        machine.clientClosed(servesLeft: host.requestsServedAfterClose)
        // A node that stands still finds the requests when it goes on.
        run(isWoken: false)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Ends the connection as the end of a process does: what has come and was not carried out is lost.
    ///
    /// The handler hears of the end of its socket only later, when other connections may have been served.
    private func cut() {
        machine.cut()
        context?.close(promise: nil)
        if let link {
            forget(link)
        }
    }

    /// Looks whether something that the connection waits for has happened.
    private func wake() {
        run(isWoken: true)
    }

    private func run(isWoken: Bool) {
        guard let link, let eventLoop else { return }
        guard host.isAlive(link) else {
            context?.close(promise: nil)
            forget(link)
            return
        }
        var isWoken = isWoken
        var stepsLeft = NodeConnectionHandler.stepsMax
        loop: while stepsLeft > 0 {
            stepsLeft -= 1
            if let context, !context.channel.isWritable { break }
            let now = host.nowNanoseconds
            switch machine.next(nowNanoseconds: now, isWoken: isWoken) {
            case .rest: break loop
            case .serve(let frame):
                let outcome = host.serve(frame, on: &connection, nowNanoseconds: now)
                guard machine.answered(outcome, frame) else { break loop }
            case .resume(let call):
                isWoken = false
                let outcome = host.resume(call, on: connection, nowNanoseconds: now)
                guard machine.answered(outcome, nil) else { break loop }
            case .write(let bytes):
                bytesSent += bytes.readableBytes
                context?.write(wrapOutboundOut(bytes), promise: nil)
            case .close(let violation):
                if violation != nil {
                    host.noteViolation(node: node)
                }
                noteBytes()
                context?.flush()
                context?.close(promise: nil)
                break loop
            }
        }
        noteBytes()
        context?.flush()
        if stepsLeft == 0 {
            let handler = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.execute { handler.value.run(isWoken: false) }
        }
        scheduleWake()
        readIfWanted()
        if context == nil, machine.isClosed {
            forget(link)
        }
    }

    /// Nothing comes of the connection any more.
    private func forget(_ link: ClusterHost.LinkID) {
        self.link = nil
        host.connectionClosed(link)
    }

    private func noteBytes() {
        guard bytesReceived + bytesSent > 0 else { return }
        host.noteBytes(node: node, received: bytesReceived, sent: bytesSent)
        bytesReceived = 0
        bytesSent = 0
    }

    private func scheduleWake() {
        guard let loop = eventLoop, let instant = machine.wakeAtNanoseconds, wakesAtNanoseconds != instant else {
            return
        }
        wakesAtNanoseconds = instant
        let handler = NIOLoopBound(self, eventLoop: loop)
        host.schedule(atNanoseconds: instant, on: loop) {
            loop.execute {
                handler.value.wakesAtNanoseconds = nil
                handler.value.run(isWoken: false)
            }
        }
    }

    private func readIfWanted() {
        guard let context, link != nil, !isReading, !isPausing, machine.wantsBytes, context.channel.isWritable,
            host.isRunning(node)
        else { return }
        guard let pause = host.readPause(node: node) else {
            isReading = true
            context.read()
            return
        }
        isPausing = true
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        host.schedule(atNanoseconds: host.nowNanoseconds &+ pause, on: loop) {
            loop.execute {
                handler.value.isPausing = false
                guard let context = handler.value.context, handler.value.machine.wantsBytes else { return }
                handler.value.isReading = true
                context.read()
            }
        }
    }
}
