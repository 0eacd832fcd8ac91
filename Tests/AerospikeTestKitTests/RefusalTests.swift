import Aerospike
import AerospikeTestKit
import Testing

struct RefusalTests {
    @Test func whatIsUnknownSaysSo() {
        #expect(Refusal.unknown("a thing").isUnknown)
        #expect(!Refusal(.notFound).isUnknown)
    }
}
