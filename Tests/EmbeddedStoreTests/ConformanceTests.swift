import EmbeddedStore
import Foundation
import JobStoreTestKit
import Testing

/// The embedded store does all that a job store must, in memory and on disk.
@Suite struct ConformanceTests {
    @Test(arguments: Conformance.cases(for: MemoryFixture.capabilities))
    func inMemory(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(on: MemoryFixture())
    }

    /// By the machine's clocks; what fails while other tests keep the machine busy is tried again.
    @Test(arguments: Conformance.cases(for: RealTimeFixture.capabilities))
    func inRealTime(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(onFresh: { try RealTimeFixture() })
    }

    @Test(arguments: Conformance.cases(for: DirectoryFixture.capabilities))
    func onDisk(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(on: DirectoryFixture())
    }

    /// Where every body is left to the disk as soon as it is there.
    @Test(arguments: Conformance.cases(for: DirectoryFixture.capabilities))
    func onDiskWithoutMemoryForBodies(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(on: DirectoryFixture(durability: .never, bodyMemoryBytesMax: 0))
    }
}

/// Seeds of the random runs; `CONFORMANCE_FIRST_SEED` and `CONFORMANCE_SEEDS` name others, and more of them.
private func seeds(_ count: UInt64) -> ClosedRange<UInt64> {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["CONFORMANCE_FIRST_SEED"].flatMap(UInt64.init) ?? 1
    let wanted = environment["CONFORMANCE_SEEDS"].flatMap(UInt64.init) ?? count
    return first...(first + max(wanted, 1) - 1)
}

/// The embedded store answers random commands as the reference model does.
@Suite struct ConformanceRandomTests {
    @Test(arguments: seeds(12))
    func inMemory(seed: UInt64) async throws {
        try await RandomRun.run(seed: seed, steps: 3_000, on: MemoryFixture())
    }

    @Test(arguments: seeds(2))
    func inRealTime(seed: UInt64) async throws {
        try await RandomRun.run(seed: seed, steps: 1_000, onFresh: { try RealTimeFixture() })
    }

    @Test(arguments: seeds(8))
    func onDisk(seed: UInt64) async throws {
        try await RandomRun.run(seed: seed, steps: 1_500, on: DirectoryFixture(durability: .never))
    }

    @Test(arguments: seeds(4))
    func onDiskWithoutMemoryForBodies(seed: UInt64) async throws {
        try await RandomRun.run(
            seed: seed,
            steps: 1_000,
            on: DirectoryFixture(durability: .never, bodyMemoryBytesMax: 0)
        )
    }

    @Test func onDiskCommittedBeforeAcknowledged() async throws {
        try await RandomRun.run(seed: 301, steps: 1_000, on: DirectoryFixture())
    }
}
