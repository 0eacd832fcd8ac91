import BeanspikeCore

/// One tube's ready jobs by (priority, id).
///
/// Jobs mostly come in id order and leave from the front, so each priority in use has a lane, a list in id order:
/// O(1) at both ends at any depth. What does not fit at an end of its lane, or has no lane because very many
/// priorities are in use, goes into a heap beside the lanes.
struct ReadyQueue {
    private struct Lane {
        var priority: UInt32
        var jobs = JobList()
    }

    /// Enough for the handful of priorities that people use; finding a lane stays a short binary search.
    private static let lanesMax = 64
    /// How far from an end of its lane a job is still worth a walk.
    private static let stepsMax = 8

    /// By priority; none is empty.
    private var lanes: [Lane] = []
    private var heap = JobHeap()
    private(set) var count = 0

    /// The best job.
    func first(in slab: borrowing JobSlab) -> JobHandle? {
        guard let lane = lanes.first else { return heap.first }
        let front = lane.jobs.first
        guard let top = heap.first else { return front }
        let other = slab[top].pointee
        return (other.lifecycle.priority, other.id) < (lane.priority, slab[front].pointee.id) ? top : front
    }

    mutating func insert(_ handle: JobHandle, in slab: borrowing JobSlab) {
        count += 1
        let priority = slab[handle].pointee.lifecycle.priority
        let index = position(of: priority)
        if index < lanes.count, lanes[index].priority == priority {
            if insert(handle, intoLane: index, slab) { return }
        } else if lanes.count < Self.lanesMax {
            var lane = Lane(priority: priority)
            lane.jobs.append(handle, in: slab)
            lanes.insert(lane, at: index)
            return
        }
        heap.insert(handle, key: Int64(priority), in: slab)
    }

    mutating func remove(_ handle: JobHandle, in slab: borrowing JobSlab) {
        count -= 1
        if slab[handle].pointee.heapPosition != .none {
            heap.remove(handle, in: slab)
            return
        }
        let index = position(of: slab[handle].pointee.lifecycle.priority)
        lanes[index].jobs.remove(handle, in: slab)
        if lanes[index].jobs.isEmpty { lanes.remove(at: index) }
    }

    /// All jobs, in no order.
    func handles(in slab: borrowing JobSlab) -> [JobHandle] {
        var all = heap.handles
        for lane in lanes { all += lane.jobs.handles(in: slab) }
        return all
    }

    /// The first lane whose priority is not smaller.
    @inline(__always)
    private func position(of priority: UInt32) -> Int {
        var low = 0
        var high = lanes.count
        while low < high {
            let middle = (low + high) / 2
            if lanes[middle].priority < priority { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func insert(_ handle: JobHandle, intoLane index: Int, _ slab: borrowing JobSlab) -> Bool {
        let id = slab[handle].pointee.id
        var before = lanes[index].jobs.last
        for _ in 0..<Self.stepsMax {
            if before == .none || slab[before].pointee.id < id {
                lanes[index].jobs.insert(handle, after: before, in: slab)
                return true
            }
            before = slab[before].pointee.previous
        }
        var after = lanes[index].jobs.first
        for _ in 0..<Self.stepsMax {
            if slab[after].pointee.id > id {
                lanes[index].jobs.insert(handle, after: slab[after].pointee.previous, in: slab)
                return true
            }
            after = slab[after].pointee.next
        }
        return false
    }
}
