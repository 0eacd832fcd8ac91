import Aerospike
import BeanspikeCore

extension JobStoreError {
    /// That a change could not be made.
    init(writing error: any Error) {
        if let error = error as? JobStoreError {
            self = error
        } else if let error = error as? AerospikeError {
            self.init(.writeFailed, "The cluster did not take the change: \(error)", inDoubt: error.inDoubt)
        } else if let error = error as? TubeRecordIsGone {
            self.init(.writeFailed, error.description)
        } else {
            self.init(.writeFailed, "The change could not be made: \(error)", inDoubt: true)
        }
    }

    /// That something could not be read.
    init(reading error: any Error, _ what: String) {
        if let error = error as? JobStoreError {
            self = error
        } else {
            self.init(.readFailed, "Cannot read \(what): \(error)")
        }
    }
}
