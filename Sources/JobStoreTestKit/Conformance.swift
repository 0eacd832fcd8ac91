/// The one suite that every ``JobStore`` passes.
///
/// A test target runs each case with a fixture of its own:
///
///     @Test(arguments: Conformance.cases(for: MyFixture.capabilities))
///     func conforms(_ conformanceCase: Conformance.Case) async throws {
///         try await conformanceCase.run(on: MyFixture())
///     }
public enum Conformance {
    /// One thing that a store must do.
    public struct Case: Sendable, CustomStringConvertible {
        /// The group, a slash, and what must hold.
        public let name: String
        /// What the fixture must be able to do.
        public let needs: FixtureCapabilities
        private let body: @Sendable (TestBed) async throws -> Void

        init(
            _ name: String,
            needs: FixtureCapabilities = [],
            _ body: @escaping @Sendable (TestBed) async throws -> Void
        ) {
            self.name = name
            self.needs = needs
            self.body = body
        }

        /// Runs the case, and again where it failed in real time while the machine was too busy to keep it.
        ///
        /// - Parameter makeFixture: Makes a fresh fixture for each attempt.
        /// - Throws: ``ConformanceFailure``, or what the fixture throws.
        public func run(onFresh makeFixture: () async throws -> any StoreFixture) async throws {
            try await Conformance.untilConclusive(makeFixture) { try await run(on: $0) }
        }

        /// The name.
        public var description: String { name }

        /// Runs the case and tears the fixture down.
        ///
        /// - Parameter fixture: A fresh fixture.
        /// - Throws: ``ConformanceFailure``, or what the fixture throws.
        public func run(on fixture: any StoreFixture) async throws {
            let bed = TestBed(fixture)
            do {
                try await body(bed)
            } catch {
                await fixture.tearDown()
                throw error
            }
            await fixture.tearDown()
        }
    }

    /// Every case.
    public static let cases: [Case] =
        orderCases + delayCases + reservationCases + ownershipCases + buryAndKickCases + peekCases + tubeCases
        + pauseCases + waitCases + deadlineCases + pipelineCases + jobStatisticsCases + tubeStatisticsCases
        + payloadCases + updateCases + loadCases + restartCases

    /// The cases that a fixture with these capabilities can be put through.
    public static func cases(for capabilities: FixtureCapabilities) -> [Case] {
        cases.filter { capabilities.isSuperset(of: $0.needs) }
    }
}
