public import BeanspikeCore

extension EmbeddedStore {
    /// The store in a directory, which is made if it is not there.
    ///
    /// - Throws: ``JobStoreError`` with what is wrong and how to mend it, such as ``JobStoreError/Code/inUse``,
    ///   ``JobStoreError/Code/notAStore``, ``JobStoreError/Code/unknownVersion``, ``JobStoreError/Code/cannotOpen``.
    public static func open(
        directory: String,
        options: Options = Options(),
        clock: any StoreClock = SystemClock()
    ) throws(JobStoreError) -> EmbeddedStore {
        let journal = try SQLiteJournal.open(
            directory: directory,
            durability: options.durability,
            fileBytesMax: options.fileBytesMax
        )
        return try open(journal: journal, options: options, clock: clock)
    }
}
