import EmbeddedStore
import JobStoreTestKit
import Testing

/// The embedded store does all that a job store must, in memory and on disk.
@Suite struct ConformanceTests {
    @Test(arguments: Conformance.cases(for: MemoryFixture.capabilities))
    func inMemory(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(on: MemoryFixture())
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

/// The embedded store answers random commands as the reference model does.
@Suite struct ConformanceRandomTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func inMemory(seed: UInt64) async throws {
        try await RandomRun.run(seed: seed, steps: 3_000, on: MemoryFixture())
    }

    @Test(arguments: 101...108 as ClosedRange<UInt64>)
    func onDisk(seed: UInt64) async throws {
        try await RandomRun.run(seed: seed, steps: 1_500, on: DirectoryFixture(durability: .never))
    }

    @Test(arguments: 201...204 as ClosedRange<UInt64>)
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
