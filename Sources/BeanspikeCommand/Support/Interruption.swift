import Glibc
import Synchronization

/// Whether SIGINT or SIGTERM has come, for loops that end in order.
enum Interruption {
    private static let signalNumber = Atomic<Int32>(0)

    /// Starts to note SIGINT and SIGTERM instead of dying of them; a second one kills at once.
    static func begin() {
        // Touched before the handler can run: a signal handler must not be the one that initialises it.
        signalNumber.store(0, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.signalNumber.store(number, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    /// The signal that came, nil where none did.
    static var signalReceived: Int32? {
        let number = signalNumber.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }
}
