import JobStoreTestKit
import Testing

/// The suite asks for nothing that a store need not promise.
///
/// Time is real here, so what fails while other tests keep the machine busy is tried again.
@Suite struct WeakStoreTests {
    @Test(arguments: Conformance.cases(for: WeakFixture.capabilities).filter { !$0.name.hasPrefix("load/10,000") })
    func conforms(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(onFresh: { WeakFixture() })
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func answersRandomCommands(seed: UInt64) async throws {
        try await RandomRun.run(seed: seed, steps: 400, onFresh: { WeakFixture() })
    }
}

/// What even the weakest store must not do is found out.
@Suite struct WeakDefectTests {
    @Test(arguments: WeakDefect.all)
    func isNoticed(_ defect: WeakDefect) async throws {
        let cases = Conformance.cases(for: WeakFixture.capabilities)
        let conformanceCase = try #require(cases.first { $0.name.hasPrefix(defect.conformanceCase) })
        await #expect(throws: ConformanceFailure.self) {
            try await conformanceCase.run(on: WeakFixture(model: defect.model))
        }
    }

    @Test(arguments: WeakDefect.all)
    func isFoundByRandomCommands(_ defect: WeakDefect) async throws {
        await #expect(throws: ConformanceFailure.self) {
            for seed in 1...12 as ClosedRange<UInt64> {
                try await RandomRun.run(seed: seed, steps: 400, on: WeakFixture(model: defect.model))
            }
        }
    }
}
