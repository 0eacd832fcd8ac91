/// A job's number: 1 for the first job of a fresh store, never used twice, below ``Limits/jobIDBound``.
public typealias JobID = UInt64
