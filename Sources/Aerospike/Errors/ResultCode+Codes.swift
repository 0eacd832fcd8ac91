extension ResultCode {
    // MARK: The client's own
    /// The node's answer to a batch leaves the call out: it stopped at another that failed.
    public static let noResponse = ResultCode(rawValue: -15)
    /// The node failed so often that it is left alone for a while.
    public static let maxErrorRate = ResultCode(rawValue: -14)
    /// Every try that the policy allows was used up.
    public static let maxRetriesExceeded = ResultCode(rawValue: -12)
    /// As many calls as the client may hold are waiting already.
    public static let queueFull = ResultCode(rawValue: -11)
    /// The connection to the node could not be made, or broke.
    public static let connection = ResultCode(rawValue: -10)
    /// The TLS handshake with the node failed.
    public static let tls = ResultCode(rawValue: -9)
    /// No node of the cluster is known to hold the partition.
    public static let invalidNode = ResultCode(rawValue: -8)
    /// The node has as many connections as the client may open.
    public static let noMoreConnections = ResultCode(rawValue: -7)
    /// The caller was cancelled.
    public static let cancelled = ResultCode(rawValue: -5)
    /// The host's name could not be resolved.
    public static let invalidHost = ResultCode(rawValue: -4)
    /// The peer sent bytes that are not the protocol of Aerospike.
    public static let malformedReply = ResultCode(rawValue: -3)
    /// The call asks for something that the protocol cannot say.
    public static let invalidArgument = ResultCode(rawValue: -2)
    /// The client was used in a way or at a time that it does not allow.
    public static let client = ResultCode(rawValue: -1)

    // MARK: Of every request
    /// The request succeeded.
    public static let ok = ResultCode(rawValue: 0)
    /// The server failed for a reason that it does not name.
    public static let server = ResultCode(rawValue: 1)
    /// There is no such record.
    public static let notFound = ResultCode(rawValue: 2)
    /// The record was changed since the generation that the call expects.
    public static let generationMismatch = ResultCode(rawValue: 3)
    /// The server does not accept the request as it is.
    public static let invalidRequest = ResultCode(rawValue: 4)
    /// The record exists, and the call was only to create it.
    public static let recordExists = ResultCode(rawValue: 5)
    /// The bin exists, and the operation was only to create it.
    public static let binExists = ResultCode(rawValue: 6)
    /// The cluster changed while the request ran.
    public static let clusterKeyMismatch = ResultCode(rawValue: 7)
    /// The namespace has no room left, or stopped writes.
    public static let outOfSpace = ResultCode(rawValue: 8)
    /// The request did not finish in its time.
    public static let timeout = ResultCode(rawValue: 9)
    /// The server's configuration never allows the operation.
    public static let alwaysForbidden = ResultCode(rawValue: 10)
    /// The partition has no node to serve it now.
    public static let partitionUnavailable = ResultCode(rawValue: 11)
    /// The bin, or the value in it, is not of the type that the operation works on.
    public static let incompatibleType = ResultCode(rawValue: 12)
    /// The record would be longer than the namespace's max-record-size.
    public static let recordTooBig = ResultCode(rawValue: 13)
    /// Too many requests for one record wait at the server (transaction-pending-limit).
    public static let keyBusy = ResultCode(rawValue: 14)
    /// The query was stopped on the server.
    public static let queryAborted = ResultCode(rawValue: 15)
    /// The server does not know the request, or no longer does.
    public static let unsupportedFeature = ResultCode(rawValue: 16)
    /// There is no such bin, and the operation was only to update it.
    public static let binNotFound = ResultCode(rawValue: 17)
    /// The node's storage cannot keep up with the writes.
    public static let deviceOverload = ResultCode(rawValue: 18)
    /// The key sent is not the one stored with the record: two keys have one digest.
    public static let keyMismatch = ResultCode(rawValue: 19)
    /// The node has no such namespace.
    public static let namespaceNotFound = ResultCode(rawValue: 20)
    /// A bin's name is too long, or the namespace has too many names of bins.
    public static let binName = ResultCode(rawValue: 21)
    /// The server does not allow the operation now.
    public static let forbidden = ResultCode(rawValue: 22)
    /// There is no such element, and the operation was only to update it.
    public static let elementNotFound = ResultCode(rawValue: 23)
    /// There is such an element, and the operation was only to create it.
    public static let elementExists = ResultCode(rawValue: 24)
    /// The feature belongs to Aerospike's Enterprise Edition.
    public static let enterpriseOnly = ResultCode(rawValue: 25)
    /// The operation cannot be applied to the value as it is, or an index is out of bounds.
    public static let notApplicable = ResultCode(rawValue: 26)
    /// The filter expression was not true for the record; nothing was done.
    public static let filteredOut = ResultCode(rawValue: 27)
    /// A write that came by XDR lost against a newer one.
    public static let lostConflict = ResultCode(rawValue: 28)
    /// The write waits until XDR has shipped the record.
    public static let xdrKeyBusy = ResultCode(rawValue: 32)

    // MARK: Security
    /// The last message of an answer about users.
    public static let securityEnd = ResultCode(rawValue: 50)
    /// The server has no users: it is not of the Enterprise Edition.
    public static let securityNotSupported = ResultCode(rawValue: 51)
    /// The server's security is turned off.
    public static let securityNotEnabled = ResultCode(rawValue: 52)
    /// The server does not know the way of authentication.
    public static let securityScheme = ResultCode(rawValue: 53)
    /// The server does not know the command about users.
    public static let securityCommand = ResultCode(rawValue: 54)
    /// The command about users is not well formed.
    public static let securityField = ResultCode(rawValue: 55)
    /// The command about users came at a time when it is not expected.
    public static let securityState = ResultCode(rawValue: 56)
    /// There is no such user, or none was named.
    public static let invalidUser = ResultCode(rawValue: 60)
    /// There is such a user already.
    public static let userExists = ResultCode(rawValue: 61)
    /// The password is wrong, or missing.
    public static let invalidPassword = ResultCode(rawValue: 62)
    /// The password has expired.
    public static let expiredPassword = ResultCode(rawValue: 63)
    /// The password may not be used, for example because it was before.
    public static let forbiddenPassword = ResultCode(rawValue: 64)
    /// The user's credential is wrong.
    public static let invalidCredential = ResultCode(rawValue: 65)
    /// The session's token has expired.
    public static let expiredSession = ResultCode(rawValue: 66)
    /// There is no such role.
    public static let invalidRole = ResultCode(rawValue: 70)
    /// There is such a role already.
    public static let roleExists = ResultCode(rawValue: 71)
    /// There is no such privilege.
    public static let invalidPrivilege = ResultCode(rawValue: 72)
    /// The list of addresses that a role allows is wrong.
    public static let invalidAllowList = ResultCode(rawValue: 73)
    /// The server's quotas are turned off.
    public static let quotasNotEnabled = ResultCode(rawValue: 74)
    /// The quota's value is wrong.
    public static let invalidQuota = ResultCode(rawValue: 75)
    /// The connection is not authenticated.
    public static let notAuthenticated = ResultCode(rawValue: 80)
    /// The user's roles do not allow the operation.
    public static let roleViolation = ResultCode(rawValue: 81)
    /// The client's address is not among those that the role allows.
    public static let notAllowListed = ResultCode(rawValue: 82)
    /// The user has used up the quota of reads or writes a second.
    public static let quotaExceeded = ResultCode(rawValue: 83)
    /// The server has no LDAP configured.
    public static let ldapNotConfigured = ResultCode(rawValue: 90)
    /// The server could not set LDAP up.
    public static let ldapSetup = ResultCode(rawValue: 91)
    /// The server could not set up TLS to LDAP.
    public static let ldapTLSSetup = ResultCode(rawValue: 92)
    /// LDAP does not accept the user.
    public static let ldapAuthentication = ResultCode(rawValue: 93)
    /// The server could not query LDAP.
    public static let ldapQuery = ResultCode(rawValue: 94)

    // MARK: Programs on the server, transactions, batches and indexes
    /// The program on the server failed.
    public static let udfExecution = ResultCode(rawValue: 100)
    /// Another transaction holds the record.
    public static let transactionBlocked = ResultCode(rawValue: 120)
    /// A record that the transaction read was changed by someone else.
    public static let transactionVersionMismatch = ResultCode(rawValue: 121)
    /// The transaction's time is over.
    public static let transactionExpired = ResultCode(rawValue: 122)
    /// The transaction writes more records than the server allows.
    public static let transactionTooManyWrites = ResultCode(rawValue: 123)
    /// The transaction is committed already.
    public static let transactionCommitted = ResultCode(rawValue: 124)
    /// The transaction is aborted already.
    public static let transactionAborted = ResultCode(rawValue: 125)
    /// The transaction itself holds the record.
    public static let transactionAlreadyLocked = ResultCode(rawValue: 126)
    /// The transaction was begun already.
    public static let transactionMonitorExists = ResultCode(rawValue: 127)
    /// The server's batches are turned off (batch-index-threads).
    public static let batchDisabled = ResultCode(rawValue: 150)
    /// The batch names more records than batch-max-requests.
    public static let batchTooLarge = ResultCode(rawValue: 151)
    /// The server works on as many batches as it can.
    public static let batchQueuesFull = ResultCode(rawValue: 152)
    /// The text is not GeoJSON, or of a kind that the server does not know.
    public static let invalidGeoJSON = ResultCode(rawValue: 160)
    /// There is such an index already.
    public static let indexFound = ResultCode(rawValue: 200)
    /// There is no such index.
    public static let indexNotFound = ResultCode(rawValue: 201)
    /// The server has no memory left for indexes.
    public static let indexOutOfMemory = ResultCode(rawValue: 202)
    /// The index is still being built.
    public static let indexNotReadable = ResultCode(rawValue: 203)
    /// The index failed for a reason that the server does not name.
    public static let indexFailed = ResultCode(rawValue: 204)
    /// The index's name is too long.
    public static let indexName = ResultCode(rawValue: 205)
    /// There are as many indexes as the server allows.
    public static let indexMaxCount = ResultCode(rawValue: 206)
}
