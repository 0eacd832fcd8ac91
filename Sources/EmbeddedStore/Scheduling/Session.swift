import BeanspikeCore

/// Commands behind a reserve that waits.
struct HeldCommands {
    private(set) var commands: [Command] = []
    private(set) var bytes: [UInt8] = []

    /// Takes copies of the commands and of the bodies that they point to.
    mutating func append(_ more: ArraySlice<Command>, bytes source: UnsafeRawBufferPointer) {
        for var command in more {
            if let body = command.body {
                command.body = ByteRange(offset: bytes.count, count: body.count)
                bytes.append(contentsOf: source[body.offset..<(body.offset + body.count)])
            }
            commands.append(command)
        }
    }
}

/// One session: what it uses, watches, holds and waits for.
struct Session {
    /// The outbox that its replies go to.
    let outbox: Int
    var used: TubeIndex
    /// Never empty while the session is open.
    var watched: [TubeIndex]
    /// The jobs that it holds.
    var reserved = JobList()
    /// None of the jobs that it holds has an earlier deadline; the earliest may be later.
    var deadlineBound = StoreInstant.never
    /// Not 0 while it waits; rises with every wait of any session.
    var waitTicket: UInt64 = 0
    var waitEnd = StoreInstant.never
    /// What it asked for behind a wait.
    var held: HeldCommands?
    /// Its latest reply that waits for a commit waits for this one.
    var lastGate: CommitNumber = 0
    var isOpen = true

    var isWaiting: Bool { waitTicket != 0 }
}

/// All sessions by number.
struct SessionTable: ~Copyable {
    private var sessions: [UnsafeMutablePointer<Session>?] = []
    private var free: [SessionID] = []

    init() {}

    deinit {
        for case let session? in sessions {
            session.deinitialize(count: 1)
            session.deallocate()
        }
    }

    /// The session's state; the number must come from ``open(_:)`` and not be given back yet.
    @inline(__always)
    subscript(_ id: SessionID) -> UnsafeMutablePointer<Session> {
        sessions[Int(id)].unsafelyUnwrapped
    }

    /// The session's state, or nil where there is none.
    func find(_ id: SessionID) -> UnsafeMutablePointer<Session>? {
        guard Int(id) < sessions.count, let session = sessions[Int(id)], session.pointee.isOpen else { return nil }
        return session
    }

    mutating func open(_ session: Session) -> SessionID {
        let pointer = UnsafeMutablePointer<Session>.allocate(capacity: 1)
        pointer.initialize(to: session)
        if let id = free.popLast() {
            sessions[Int(id)] = pointer
            return id
        }
        sessions.append(pointer)
        return SessionID(sessions.count - 1)
    }

    /// Gives the number back; no reply for it may be left anywhere.
    mutating func release(_ id: SessionID) {
        let pointer = self[id]
        pointer.deinitialize(count: 1)
        pointer.deallocate()
        sessions[Int(id)] = nil
        free.append(id)
    }

    /// The numbers of all open sessions.
    var openIDs: [SessionID] {
        sessions.indices.compactMap { sessions[$0]?.pointee.isOpen == true ? SessionID($0) : nil }
    }
}
