import JobStoreTestKit
import Testing

/// All but those with thousands of jobs, which linear scans cannot do in a reasonable time.
let modelCases = Conformance.cases(for: ModelFixture.capabilities).filter { !$0.name.hasPrefix("load/") }

/// The suite can be passed: by the reference model, and by one whose replies arrive later.
@Suite struct ModelConformanceTests {
    @Test(arguments: modelCases)
    func conforms(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(on: ModelFixture())
    }

    @Test(arguments: modelCases)
    func conformsWithRepliesThatArriveLater(_ conformanceCase: Conformance.Case) async throws {
        try await conformanceCase.run(on: ModelFixture(delivery: .later))
    }
}

/// The suite can fail: every defect is noticed by the cases that are there for it.
@Suite struct DefectTests {
    @Test(arguments: Defect.all)
    func isNoticed(_ defect: Defect) async throws {
        for prefix in defect.cases {
            let conformanceCase = try #require(modelCases.first { $0.name.hasPrefix(prefix) })
            await #expect(throws: ConformanceFailure.self, "\(conformanceCase)") {
                try await conformanceCase.run(on: ModelFixture(model: defect.model))
            }
        }
    }
}
