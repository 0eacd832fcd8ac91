import AerospikeStore
import Testing

@Test func limitsAgree() {
    #expect(StoreLimits.areConsistent)
}
