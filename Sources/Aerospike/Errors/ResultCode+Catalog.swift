extension ResultCode {
    /// What is known of one code.
    struct Entry: Sendable {
        var name: String
        var meaning: String
        var remedy: String
        var isTransient: Bool
        var leavesWriteInDoubt: Bool

        init(
            _ name: String,
            _ meaning: String,
            _ remedy: String,
            transient: Bool = false,
            inDoubt: Bool = false
        ) {
            self.name = name
            self.meaning = meaning
            self.remedy = remedy
            isTransient = transient
            leavesWriteInDoubt = inDoubt
        }
    }

    /// What is known of every code that has a name.
    static let catalog: [Int: Entry] = [
        -15: Entry(
            "NO_RESPONSE",
            "The node's answer to a batch leaves this call out.",
            "Make the call again if it may be made twice; let the batch go on after a failure.",
            inDoubt: true
        ),
        -14: Entry(
            "MAX_ERROR_RATE",
            "The node failed so often that it is left alone for a while.",
            "Wait for the node to recover; look at why it fails.",
            transient: true
        ),
        -12: Entry(
            "MAX_RETRIES_EXCEEDED",
            "Every try that the policy allows was used up.",
            "Look at the cause, which is the last try's error.",
            transient: true
        ),
        -11: Entry(
            "CLIENT_QUEUE_FULL",
            "As many calls as the client may hold are waiting already.",
            "Slow down, or raise the client's limits.",
            transient: true
        ),
        -10: Entry(
            "CONNECTION",
            "The connection to the node could not be made, or broke.",
            "See that the node runs and can be reached; try again.",
            transient: true,
            inDoubt: true
        ),
        -9: Entry(
            "TLS",
            "The TLS handshake with the node failed.",
            "Check the certificates, and the TLS name that the node presents."
        ),
        -8: Entry(
            "INVALID_NODE",
            "No node of the cluster is known to hold the partition.",
            "Wait for the cluster to settle and try again; see that the namespace's name is right.",
            transient: true
        ),
        -7: Entry(
            "NO_MORE_CONNECTIONS",
            "The node has as many connections as the client may open.",
            "Slow down, or raise the client's limits.",
            transient: true
        ),
        -5: Entry(
            "CANCELLED",
            "The caller was cancelled.",
            "A write that was sent already may still be applied.",
            inDoubt: true
        ),
        -4: Entry(
            "INVALID_HOST",
            "The host's name could not be resolved.",
            "Correct the host's name, or the name service.",
            transient: true
        ),
        -3: Entry(
            "MALFORMED_REPLY",
            "The peer sent bytes that are not the protocol of Aerospike.",
            "See that the port is that of an Aerospike node of version 6 to 8.1, and not a TLS port.",
            inDoubt: true
        ),
        -2: Entry(
            "INVALID_ARGUMENT",
            "The call asks for something that the protocol cannot say.",
            "Correct the call; the message says what is wrong."
        ),
        -1: Entry(
            "CLIENT",
            "The client was used in a way or at a time that it does not allow.",
            "Correct the call; the message says what is wrong."
        ),
        0: Entry(
            "OK",
            "The request succeeded.",
            "Nothing is to be done."
        ),
        1: Entry(
            "SERVER",
            "The server failed for a reason that it does not name.",
            "Look at the server's log."
        ),
        2: Entry(
            "NOT_FOUND",
            "There is no such record.",
            "Create the record first, or allow the call to create it."
        ),
        3: Entry(
            "GENERATION",
            "The record was changed since the generation that the call expects.",
            "Read the record again and decide anew."
        ),
        4: Entry(
            "PARAMETER",
            "The server does not accept the request as it is.",
            "Correct the call; the server's log names the part that it refused."
        ),
        5: Entry(
            "RECORD_EXISTS",
            "The record exists, and the call was only to create it.",
            "Update the record instead, or use another key."
        ),
        6: Entry(
            "BIN_EXISTS",
            "The bin exists, and the operation was only to create it.",
            "Allow the operation to update the bin."
        ),
        7: Entry(
            "CLUSTER_KEY_MISMATCH",
            "The cluster changed while the request ran.",
            "Try again once the cluster has settled.",
            transient: true
        ),
        8: Entry(
            "OUT_OF_SPACE",
            "The namespace has no room left, or stopped writes.",
            "Free space or add nodes; deletes and reads still work.",
            transient: true
        ),
        9: Entry(
            "TIMEOUT",
            "The request did not finish in its time.",
            "Try again; a write may have been applied all the same.",
            transient: true,
            inDoubt: true
        ),
        10: Entry(
            "ALWAYS_FORBIDDEN",
            "The server's configuration never allows the operation.",
            "Change the server's configuration, or do without."
        ),
        11: Entry(
            "UNAVAILABLE",
            "The partition has no node to serve it now.",
            "Try again once the cluster has its nodes back.",
            transient: true
        ),
        12: Entry(
            "INCOMPATIBLE_TYPE",
            "The bin, or the value in it, is not of the type that the operation works on.",
            "Use an operation of the bin's type, or write the bin anew."
        ),
        13: Entry(
            "RECORD_TOO_BIG",
            "The record would be longer than the namespace's max-record-size.",
            "Store less in one record, or raise max-record-size (at most 8 MiB)."
        ),
        14: Entry(
            "KEY_BUSY",
            "Too many requests for one record wait at the server (transaction-pending-limit).",
            "Back off with jitter and try again; spread the load over more records.",
            transient: true
        ),
        15: Entry(
            "QUERY_ABORT",
            "The query was stopped on the server.",
            "Start it again from where it broke, if it was not stopped on purpose."
        ),
        16: Entry(
            "UNSUPPORTED_FEATURE",
            "The server does not know the request, or no longer does.",
            "Use a server of the version that the feature needs."
        ),
        17: Entry(
            "BIN_NOT_FOUND",
            "There is no such bin, and the operation was only to update it.",
            "Allow the operation to create the bin."
        ),
        18: Entry(
            "DEVICE_OVERLOAD",
            "The node's storage cannot keep up with the writes.",
            "Back off and try again; add storage or nodes.",
            transient: true
        ),
        19: Entry(
            "KEY_MISMATCH",
            "The key sent is not the one stored with the record: two keys have one digest.",
            "See that all writers use the same key and type of key."
        ),
        20: Entry(
            "NAMESPACE",
            "The node has no such namespace.",
            "Correct the namespace's name, or configure it on every node."
        ),
        21: Entry(
            "BIN_NAME",
            "A bin's name is too long, or the namespace has too many names of bins.",
            "Use names of at most 15 bytes, and fewer of them."
        ),
        22: Entry(
            "FORBIDDEN",
            "The server does not allow the operation now.",
            "See the server's configuration and state; a time to live needs nsup-period."
        ),
        23: Entry(
            "ELEMENT_NOT_FOUND",
            "There is no such element, and the operation was only to update it.",
            "Allow the operation to create the element, or not to fail."
        ),
        24: Entry(
            "ELEMENT_EXISTS",
            "There is such an element, and the operation was only to create it.",
            "Allow the operation to update the element, or not to fail."
        ),
        25: Entry(
            "ENTERPRISE_ONLY",
            "The feature belongs to Aerospike's Enterprise Edition.",
            "Do without the feature, or use that edition."
        ),
        26: Entry(
            "OP_NOT_APPLICABLE",
            "The operation cannot be applied to the value as it is, or an index is out of bounds.",
            "See what the bin holds; allow the operation not to fail."
        ),
        27: Entry(
            "FILTERED_OUT",
            "The filter expression was not true for the record; nothing was done.",
            "Nothing is wrong: the condition did not hold."
        ),
        28: Entry(
            "LOST_CONFLICT",
            "A write that came by XDR lost against a newer one.",
            "Nothing is to be done: the newer write stands."
        ),
        32: Entry(
            "XDR_KEY_BUSY",
            "The write waits until XDR has shipped the record.",
            "Back off and try again.",
            transient: true
        ),
        50: Entry(
            "SECURITY_END",
            "The last message of an answer about users.",
            "Nothing is to be done."
        ),
        51: Entry(
            "SECURITY_NOT_SUPPORTED",
            "The server has no users: it is not of the Enterprise Edition.",
            "Connect without a user."
        ),
        52: Entry(
            "SECURITY_NOT_ENABLED",
            "The server's security is turned off.",
            "Connect without a user, or turn security on."
        ),
        53: Entry(
            "SECURITY_SCHEME",
            "The server does not know the way of authentication.",
            "Use the way that the server is configured for."
        ),
        54: Entry(
            "SECURITY_COMMAND",
            "The server does not know the command about users.",
            "Use a server of the version that the command needs."
        ),
        55: Entry(
            "SECURITY_FIELD",
            "The command about users is not well formed.",
            "Report it: this client sent something wrong."
        ),
        56: Entry(
            "SECURITY_STATE",
            "The command about users came at a time when it is not expected.",
            "Authenticate first, and once."
        ),
        60: Entry(
            "INVALID_USER",
            "There is no such user, or none was named.",
            "Correct the user's name."
        ),
        61: Entry(
            "USER_EXISTS",
            "There is such a user already.",
            "Use another name, or change the user that exists."
        ),
        62: Entry(
            "INVALID_PASSWORD",
            "The password is wrong, or missing.",
            "Correct the password."
        ),
        63: Entry(
            "EXPIRED_PASSWORD",
            "The password has expired.",
            "Set a new password."
        ),
        64: Entry(
            "FORBIDDEN_PASSWORD",
            "The password may not be used, for example because it was before.",
            "Choose another password."
        ),
        65: Entry(
            "INVALID_CREDENTIAL",
            "The user's credential is wrong.",
            "Correct the user's name and password."
        ),
        66: Entry(
            "EXPIRED_SESSION",
            "The session's token has expired.",
            "Log in again; the client does so by itself.",
            transient: true
        ),
        70: Entry(
            "INVALID_ROLE",
            "There is no such role.",
            "Correct the role's name."
        ),
        71: Entry(
            "ROLE_EXISTS",
            "There is such a role already.",
            "Use another name, or change the role that exists."
        ),
        72: Entry(
            "INVALID_PRIVILEGE",
            "There is no such privilege.",
            "Correct the privilege."
        ),
        73: Entry(
            "INVALID_ALLOW_LIST",
            "The list of addresses that a role allows is wrong.",
            "Correct the list."
        ),
        74: Entry(
            "QUOTAS_NOT_ENABLED",
            "The server's quotas are turned off.",
            "Turn quotas on, or set none."
        ),
        75: Entry(
            "INVALID_QUOTA",
            "The quota's value is wrong.",
            "Correct the quota."
        ),
        80: Entry(
            "NOT_AUTHENTICATED",
            "The connection is not authenticated.",
            "Give the client a user and a password; one that has them connects anew by itself.",
            transient: true
        ),
        81: Entry(
            "ROLE_VIOLATION",
            "The user's roles do not allow the operation.",
            "Grant the user a role that allows it."
        ),
        82: Entry(
            "NOT_ALLOW_LISTED",
            "The client's address is not among those that the role allows.",
            "Add the address to the role."
        ),
        83: Entry(
            "QUOTA_EXCEEDED",
            "The user has used up the quota of reads or writes a second.",
            "Slow down, or raise the quota.",
            transient: true
        ),
        90: Entry(
            "LDAP_NOT_CONFIGURED",
            "The server has no LDAP configured.",
            "Use an internal user, or configure LDAP."
        ),
        91: Entry(
            "LDAP_SETUP",
            "The server could not set LDAP up.",
            "Look at the server's log."
        ),
        92: Entry(
            "LDAP_TLS_SETUP",
            "The server could not set up TLS to LDAP.",
            "Look at the server's log."
        ),
        93: Entry(
            "LDAP_AUTHENTICATION",
            "LDAP does not accept the user.",
            "Correct the user's name and password."
        ),
        94: Entry(
            "LDAP_QUERY",
            "The server could not query LDAP.",
            "Look at the server's log."
        ),
        100: Entry(
            "UDF",
            "The program on the server failed.",
            "See its message, in the bin FAILURE, and correct the program."
        ),
        120: Entry(
            "MRT_BLOCKED",
            "Another transaction holds the record.",
            "Abort this transaction and try again.",
            transient: true
        ),
        121: Entry(
            "MRT_VERSION_MISMATCH",
            "A record that the transaction read was changed by someone else.",
            "Run the whole transaction again."
        ),
        122: Entry(
            "MRT_EXPIRED",
            "The transaction's time is over.",
            "Run the whole transaction again, in less time."
        ),
        123: Entry(
            "MRT_TOO_MANY_WRITES",
            "The transaction writes more records than the server allows.",
            "Split the transaction."
        ),
        124: Entry(
            "MRT_COMMITTED",
            "The transaction is committed already.",
            "Begin another."
        ),
        125: Entry(
            "MRT_ABORTED",
            "The transaction is aborted already.",
            "Begin another."
        ),
        126: Entry(
            "MRT_ALREADY_LOCKED",
            "The transaction itself holds the record.",
            "Nothing is to be done: it was locked by an earlier write."
        ),
        127: Entry(
            "MRT_MONITOR_EXISTS",
            "The transaction was begun already.",
            "Do not use one transaction in several tasks."
        ),
        150: Entry(
            "BATCH_DISABLED",
            "The server's batches are turned off (batch-index-threads).",
            "Turn them on."
        ),
        151: Entry(
            "BATCH_MAX_REQUESTS",
            "The batch names more records than batch-max-requests.",
            "Split the batch, or raise the limit."
        ),
        152: Entry(
            "BATCH_QUEUES_FULL",
            "The server works on as many batches as it can.",
            "Back off and try again.",
            transient: true
        ),
        160: Entry(
            "GEO_INVALID_GEOJSON",
            "The text is not GeoJSON, or of a kind that the server does not know.",
            "Correct the text."
        ),
        200: Entry(
            "SINDEX_FOUND",
            "There is such an index already.",
            "Use it, or another name."
        ),
        201: Entry(
            "SINDEX_NOT_FOUND",
            "There is no such index.",
            "Create the index first."
        ),
        202: Entry(
            "SINDEX_OOM",
            "The server has no memory left for indexes.",
            "Free memory or add nodes."
        ),
        203: Entry(
            "SINDEX_NOT_READABLE",
            "The index is still being built.",
            "Wait until it is ready.",
            transient: true
        ),
        204: Entry(
            "SINDEX",
            "The index failed for a reason that the server does not name.",
            "Look at the server's log."
        ),
        205: Entry(
            "SINDEX_NAME",
            "The index's name is too long.",
            "Use a shorter name."
        ),
        206: Entry(
            "SINDEX_MAX_COUNT",
            "There are as many indexes as the server allows.",
            "Drop an index that is not needed."
        ),
    ]
}
