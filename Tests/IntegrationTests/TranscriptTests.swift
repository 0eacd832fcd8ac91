import Testing

/// Every command and every error of the protocol, over a real port.
///
/// The transcripts were proved on beanstalkd 1.13: `BEANSPIKE_TEST_SERVER=/path/to/beanstalkd script/test --filter
/// TranscriptTests` does it again. Lines that start with `[ours]` or `[beanstalkd]` are the differences.
@Suite struct TranscriptTests {
    @Test(arguments: Transcript.all)
    func inMemory(name: String) async throws {
        try await onThread {
            let transcript = try Transcript(named: name, for: ServerProgram.underTest.flavor)
            let server = try ServerProcess(arguments: transcript.serverArguments)
            try TranscriptRunner(transcript, server).run()
        }
    }

    @Test(arguments: Transcript.all)
    func onDisk(name: String) async throws {
        try await onThread {
            let transcript = try Transcript(named: name, for: ServerProgram.underTest.flavor)
            let directory = try TemporaryDirectory()
            let server = try ServerProcess(directory: directory.path, arguments: transcript.serverArguments)
            try TranscriptRunner(transcript, server).run()
        }
    }

    /// A wrong reply must fail a transcript, or the ones above prove nothing.
    @Test func aWrongReplyIsNoticed() async throws {
        let failures: [Int] = try await onThread {
            var failures: [Int] = []
            let wrong = ["WATCHING 3", "WATCHING", "WATCHING 22", "NOT_FOUND", "WATCHING 2 "]
            for (index, line) in wrong.enumerated() {
                var transcript = try Transcript(named: Transcript.all[0], for: ServerProgram.underTest.flavor)
                transcript.steps = [
                    (1, .send(connection: "a", Array("watch other\r\n".utf8))),
                    (2, .expect(connection: "a", line)),
                ]
                do {
                    try TranscriptRunner(transcript, try ServerProcess()).run()
                } catch {
                    failures.append(index)
                }
            }
            return failures
        }
        #expect(failures == [0, 1, 2, 3, 4])
    }
}
