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
