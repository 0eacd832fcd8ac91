import ArgumentParser
import Beanspike

/// The flags of a server whose jobs are kept by an Aerospike cluster.
struct ClusterFlags: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Listen for the other servers of the queue on this address; off: poll the cluster instead. "
                + "(default: this machine's address towards the cluster)",
            valueName: "ADDR[:PORT]|off"
        )
    )
    var peerListen: String?

    @Option(
        help: ArgumentHelp(
            "Have the other servers connect to this host. (default: the address of --peer-listen)",
            valueName: "HOST"
        )
    )
    var peerAdvertise: String?

    @Option(
        help: ArgumentHelp(
            "After so many seconds of silence the other servers take this one for dead, and give out its jobs.",
            valueName: "SEC"
        )
    )
    var deathInterval = 2.0

    @Option(
        help: ArgumentHelp("Try so many seconds to reach the cluster at the start, then end.", valueName: "SEC")
    )
    var storeTimeout = 30.0

    @Option(
        help: ArgumentHelp(
            "Begin the names of the queue's sets with this: several queues in one namespace.",
            valueName: "NAME"
        )
    )
    var setPrefix = ""

    @Flag(help: "Go on with a namespace whose settings may lose jobs.")
    var acceptRisks = false

    func validate() throws {
        if let peerListen, PeerListening(peerListen) == nil {
            throw ValidationError("--peer-listen \(peerListen): give ADDR, ADDR:PORT, [ADDR]:PORT or off.")
        }
        if let peerAdvertise {
            guard !peerAdvertise.isEmpty, peerAdvertise.utf8.count <= 255,
                peerAdvertise.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
            else { throw ValidationError("--peer-advertise \(peerAdvertise): give a name or an address.") }
        }
        guard (0.2...3_600).contains(deathInterval) else {
            throw ValidationError("--death-interval is \(deathInterval): give 0.2 to 3600 seconds.")
        }
        guard (0...86_400).contains(storeTimeout) else {
            throw ValidationError("--store-timeout is \(storeTimeout): give 0 to 86400 seconds.")
        }
        guard setPrefix.utf8.count <= 40, setPrefix.utf8.allSatisfy({ Self.isAllowedInSet($0) }) else {
            throw ValidationError("--set-prefix \(setPrefix): give at most 40 letters, digits, - and _.")
        }
    }

    /// Sets what was given.
    func apply(to options: inout StoreOptions) {
        if let peerListen, let listening = PeerListening(peerListen) { options.peerListening = listening }
        options.advertisedPeerHost = peerAdvertise
        options.deathInterval = .milliseconds(Int((deathInterval * 1_000).rounded()))
        options.openTimeout = .milliseconds(Int((storeTimeout * 1_000).rounded()))
        options.setPrefix = setPrefix
        options.acceptsRisks = acceptRisks
    }

    private static func isAllowedInSet(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}
