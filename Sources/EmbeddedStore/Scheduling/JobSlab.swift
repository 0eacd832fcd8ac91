import BeanspikeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Names a slot of ``JobSlab``; used again once the job is gone.
typealias JobHandle = UInt32

extension JobHandle {
    /// No job.
    static let none = JobHandle.max
}

/// Everything that scheduling knows of one job, in 96 bytes; its body is one block of memory beside it.
///
/// Trivial on purpose: no reference counting anywhere near a job.
struct JobSlot {
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The slot holds a job.
        static let live = Flags(rawValue: 1 << 0)
        /// The journal has the job, or gets it with the commit under way.
        static let journaled = Flags(rawValue: 1 << 1)
        /// The journal has a changed record of it.
        static let updated = Flags(rawValue: 1 << 2)
        /// It is listed in the change log for the next commit.
        static let listed = Flags(rawValue: 1 << 3)
        /// It is listed in the change log as changed in what nobody was promised, such as its count of reserves.
        static let listedLazily = Flags(rawValue: 1 << 4)
        /// The body is on disk only.
        static let spilled = Flags(rawValue: 1 << 5)
        /// ``Scheduler/attributes`` has an entry for it.
        static let hasAttributes = Flags(rawValue: 1 << 6)
    }

    /// Which commit the job's present state will be durable with.
    enum Durability: UInt8 {
        case durable, withCommitUnderWay, withNextCommit
    }

    var id: JobID
    var lifecycle: JobLifecycle
    var flags: Flags = .live
    var durability: Durability = .durable
    var tube: TubeIndex
    /// Neighbours in the list that the job is in: its lane of ready jobs, its tube's buried jobs, or its holder's.
    var previous: JobHandle = .none
    var next: JobHandle = .none
    /// Its place in the heap that it is in, or `none`: ready jobs out of their lane, delayed and reserved jobs.
    var heapPosition: UInt32 = .none
    /// The session that holds it.
    var holder: SessionID = .none
    var bodyCount: UInt32
    /// `bodyCount` bytes; nil when there are none or when they are on disk only.
    var body: UnsafeMutableRawPointer?
    var created: StoreInstant

    /// The order of burial.
    ///
    /// A buried job has neither a holder nor a place in a heap, so theirs is the room.
    var burialSequence: UInt64 {
        get { UInt64(heapPosition) << 32 | UInt64(holder) }
        set {
            heapPosition = UInt32(truncatingIfNeeded: newValue >> 32)
            holder = UInt32(truncatingIfNeeded: newValue)
        }
    }

    var bodyBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: body, count: body == nil ? 0 : Int(bodyCount))
    }
}

/// All jobs' slots, in chunks that never move.
struct JobSlab: ~Copyable {
    private static let chunkShift: UInt32 = 12
    private static let slotsPerChunk = 1 << Int(chunkShift)

    private var chunks: UnsafeMutablePointer<UnsafeMutablePointer<JobSlot>>
    private var chunkCount = 0
    private var chunkCapacity = 64
    private var firstFree = JobHandle.none
    private var everUsed: JobHandle = 0
    /// How many slots hold a job.
    private(set) var count = 0

    init() { chunks = .allocate(capacity: 64) }

    deinit {
        for handle in 0..<everUsed where self[handle].pointee.flags.contains(.live) {
            free(self[handle].pointee.body)
        }
        for index in 0..<chunkCount { chunks[index].deallocate() }
        chunks.deallocate()
    }

    /// The slot; the handle must come from ``allocate(_:)``.
    @inline(__always)
    subscript(_ handle: JobHandle) -> UnsafeMutablePointer<JobSlot> {
        chunks[Int(handle &>> Self.chunkShift)] + Int(handle & UInt32(Self.slotsPerChunk - 1))
    }

    mutating func allocate(_ slot: JobSlot) -> JobHandle {
        count += 1
        if firstFree != .none {
            let handle = firstFree
            firstFree = self[handle].pointee.next
            self[handle].initialize(to: slot)
            return handle
        }
        if Int(everUsed) == chunkCount * Self.slotsPerChunk { addChunk() }
        let handle = everUsed
        everUsed += 1
        self[handle].initialize(to: slot)
        return handle
    }

    /// Gives the slot and the body's memory back.
    mutating func release(_ handle: JobHandle) {
        let slot = self[handle]
        if let body = slot.pointee.body { free(body) }
        slot.pointee.body = nil
        slot.pointee.flags = []
        slot.pointee.id = 0
        slot.pointee.next = firstFree
        firstFree = handle
        count -= 1
    }

    /// Whether the slot still holds this job.
    @inline(__always)
    func holds(_ id: JobID, at handle: JobHandle) -> Bool { self[handle].pointee.id == id }

    private mutating func addChunk() {
        if chunkCount == chunkCapacity {
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<JobSlot>>.allocate(capacity: chunkCapacity * 2)
            larger.moveInitialize(from: chunks, count: chunkCount)
            chunks.deallocate()
            chunks = larger
            chunkCapacity *= 2
        }
        (chunks + chunkCount).initialize(to: .allocate(capacity: Self.slotsPerChunk))
        chunkCount += 1
    }

    /// A block of memory with these bytes, or nil where there are none.
    static func makeBody(_ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer? {
        guard let source = bytes.baseAddress, bytes.count > 0, let copy = malloc(bytes.count) else { return nil }
        memcpy(copy, source, bytes.count)
        return copy
    }

    /// Frees the body's memory and keeps the job.
    mutating func dropBody(_ handle: JobHandle) {
        free(self[handle].pointee.body)
        self[handle].pointee.body = nil
    }
}
