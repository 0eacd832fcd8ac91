/// What a call is called in metrics and traces: the value of `db.operation.name`.
enum CallName: String, Sendable, CaseIterable {
    case get = "GET"
    case exists = "EXISTS"
    case put = "PUT"
    case add = "ADD"
    case append = "APPEND"
    case prepend = "PREPEND"
    case touch = "TOUCH"
    case delete = "DELETE"
    case operate = "OPERATE"
    case execute = "EXECUTE"
    case batch = "BATCH"
    case query = "QUERY"
}
