import Glibc

/// Bytes of a file or of standard input, whole or line by line.
struct Input: ~Copyable {
    private let descriptor: Int32
    private let name: String
    private let isOwned: Bool
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// Standard input.
    init() {
        descriptor = STDIN_FILENO
        name = "standard input"
        isOwned = false
    }

    /// A file.
    init(path: String) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        name = path
        isOwned = true
        guard descriptor >= 0 else {
            throw CommandError.failed("Cannot read \(path): \(String(cString: strerror(errno))).")
        }
    }

    deinit { if isOwned { close(descriptor) } }

    /// All there is, refused beyond so many bytes.
    mutating func readAll(bytesMax: Int) throws -> [UInt8] {
        while try fill() {
            guard buffer.count <= bytesMax else {
                throw CommandError.failed("\(name) has more than \(bytesMax) bytes, and no server takes so long a job.")
            }
        }
        return buffer
    }

    /// The next line without its newline; nil at the end.
    ///
    /// What follows the last newline is a line too.
    mutating func nextLine(bytesMax: Int) throws -> [UInt8]? {
        var searched = start
        while true {
            if let newline = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = newline + 1 }
                return Array(buffer[start..<newline])
            }
            searched = buffer.count
            guard buffer.count - start <= bytesMax else {
                throw CommandError.failed("A line of \(name) has more than \(bytesMax) bytes.")
            }
            let before = start
            if try !fill() {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return Array(buffer[start...])
            }
            searched -= before - start
        }
    }

    /// Reads some more; false at the end.
    private mutating func fill() throws -> Bool {
        guard !isAtEnd else { return false }
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        let descriptor = self.descriptor
        let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
            var count: Int
            repeat { count = read(descriptor, room.baseAddress, room.count) } while count < 0 && errno == EINTR
            if count > 0 { buffer.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[..<count])) }
            return count
        }
        guard count >= 0 else {
            throw CommandError.failed("Cannot read \(name): \(String(cString: strerror(errno))).")
        }
        isAtEnd = count == 0
        return count > 0
    }
}
