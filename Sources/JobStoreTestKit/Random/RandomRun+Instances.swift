import BeanspikeCore

extension RandomRun {
    /// Commands such that at no time two sessions do something of which either could be first.
    func commandFromAfar() async throws {
        if random.oneIn(25) { instance = ports[Int.random(in: 0..<ports.count, using: &random)].instance }
        let waiting = clients.filter { model.isBlocked($0.key) }
        let isLoaded = model.sessions.contains { $0.wait != nil && !$0.queue.isEmpty }
        if waiting.count == 1, !isLoaded, random.oneIn(8) {
            let count = Int.random(in: 1...3, using: &random)
            return try await submit(requests(count, for: waiting[0].key, isAlone: true, mayWait: true), by: waiting[0])
        }
        let free = clients.filter { !model.isBlocked($0.key) }
        guard let client = (free.filter { $0.instance == instance }.randomElement(using: &random)) else {
            if free.isEmpty { return try await endSomeWait() }
            instance = free[0].instance
            return
        }
        let mayWait =
            !isLoaded
            && waiting.allSatisfy { capabilities.contains(.fairOverInstances) || $0.instance == client.instance }
        let count = waiting.isEmpty && random.oneIn(8) ? Int.random(in: 2...6, using: &random) : 1
        let requests = requests(count, for: client.key, isAlone: !waiting.isEmpty, mayWait: mayWait)
        try await submit(requests, by: client)
    }

    /// Requests of which none that depends on what other instances do comes behind a reserve that waits.
    private func requests(
        _ count: Int,
        for key: ReferenceQueue.SessionKey,
        isAlone: Bool,
        mayWait: Bool
    ) -> [Request] {
        var isBehind = model.isBlocked(key)
        return (0..<count).map { _ in
            let request = request(for: key, isAlone: isAlone, mayWait: mayWait)
            if isBehind, !request.isDirect { return Request(.tubeUsed) }
            isBehind = isBehind || request.mayWait
            return request
        }
    }

    /// Lets an instance hear of what others did.
    func willAct(in instance: Int) async throws {
        if unheard.contains(where: { $0 != instance }) { try await settle() }
        didAct(in: instance)
    }

    func didAct(in instance: Int) {
        if !isPrompt { unheard.insert(instance) }
    }

    func settle() async throws {
        guard !isPrompt else { return }
        note("settle")
        try await fixture.advance(by: type(of: fixture).lateness)
        unheard = []
        isUnderWay = false
    }
}
