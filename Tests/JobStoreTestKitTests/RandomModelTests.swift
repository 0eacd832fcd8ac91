import JobStoreTestKit
import Testing

/// The random run ends well where the store is the model, and soon finds a store that is not.
@Suite struct RandomModelTests {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func modelAgreesWithItself(seed: UInt64) async throws {
        try await RandomRun.run(seed: seed, steps: 1_500, on: ModelFixture())
    }

    @Test func repliesThatArriveLaterMakeNoDifference() async throws {
        try await RandomRun.run(seed: 9, steps: 1_000, on: ModelFixture(delivery: .later))
    }

    @Test(arguments: Defect.all)
    func findsDefects(_ defect: Defect) async throws {
        await #expect(throws: ConformanceFailure.self) {
            for seed in 1...5 as ClosedRange<UInt64> {
                try await RandomRun.run(seed: seed, steps: 2_000, on: ModelFixture(model: defect.model))
            }
        }
    }
}
