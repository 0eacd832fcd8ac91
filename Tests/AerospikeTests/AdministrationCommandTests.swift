import Aerospike
import NIOCore
import Testing

/// Commands are held to those of aerospike-client-c 7.5 and aerospike-server 8.1, answers to those of a server 8.1.0.3.
@Suite struct AdministrationCommandTests {
    private static let old = ServerVersion(6, 4)
    private static let new = ServerVersion(8, 1)

    private func refusal(_ body: () throws -> some Any) throws -> ResultCode {
        try #require(throws: AerospikeError.self) { _ = try body() }.code
    }

    // MARK: Indexes

    @Test func indexesAreCreatedInTheWordsOfTheServer() throws {
        let plain = IndexDefinition("i", namespace: "test", set: "s", bin: "age", type: .integer)
        #expect(
            try plain.createCommand(Self.old).text
                == "sindex-create:ns=test;set=s;indexname=i;indexdata=age,NUMERIC"
        )
        #expect(
            try plain.createCommand(Self.new).text
                == "sindex-create:namespace=test;set=s;indexname=i;bin=age;type=NUMERIC"
        )
        #expect(try plain.createCommand(ServerVersion(8, 1, 3)).text.hasSuffix(";type=INTEGER"))
        let nested = IndexDefinition(
            "i",
            namespace: "test",
            bin: "b",
            type: .string,
            of: .mapValues,
            at: [.mapKey("k")]
        )
        // [0x22, "\u{3}k"], the context that the C client packs.
        let context = Base64.encode([0x92, 0x22, 0xa2, 0x03, 0x6b])
        #expect(
            try nested.createCommand(Self.new).text
                == "sindex-create:namespace=test;indexname=i;context=\(context);indextype=MAPVALUES;bin=b;type=STRING"
        )
        #expect(
            try nested.createCommand(Self.old).text
                == "sindex-create:ns=test;indexname=i;context=\(context);indextype=MAPVALUES;indexdata=b,STRING"
        )
        let expression = Exp<Int>.int(bin: "a") + 1
        let computed = IndexDefinition("i", namespace: "test", expression: expression, type: .integer)
        #expect(
            try computed.createCommand(Self.new).text
                == "sindex-create:namespace=test;indexname=i;exp=\(expression.base64);type=NUMERIC"
        )
        #expect(try refusal { try computed.createCommand(Self.old) } == .unsupportedFeature)
        for (type, word) in [(IndexDefinition.ValueType.blob, "BLOB"), (.geoJSON, "GEO2DSPHERE")] {
            let index = IndexDefinition("i", namespace: "test", bin: "b", type: type, of: .listElements)
            #expect(try index.createCommand(Self.new).text.hasSuffix("indextype=LIST;bin=b;type=\(word)"))
        }
        let keys = IndexDefinition("i", namespace: "test", bin: "b", type: .string, of: .mapKeys)
        #expect(try keys.createCommand(Self.new).text.contains(";indextype=MAPKEYS;"))
        #expect(
            try IndexDefinition.dropCommand("i", namespace: "test", Self.old).text
                == "sindex-delete:ns=test;indexname=i"
        )
        #expect(
            try IndexDefinition.dropCommand("i", namespace: "test", Self.new).text
                == "sindex-delete:namespace=test;indexname=i"
        )
        #expect(try IndexDefinition.statusCommand("i", namespace: "test", Self.old).text == "sindex/test/i")
        #expect(
            try IndexDefinition.statusCommand("i", namespace: "test", Self.new).text
                == "sindex-stat:namespace=test;indexname=i"
        )
    }

    @Test(arguments: ["a;b", "a:b", "a\nb", "a\tb", "a\rb", "a\0b", ""])
    func namesThatEndTooSoonAreRefused(name: String) throws {
        let index = IndexDefinition(name, namespace: "test", bin: "b", type: .integer)
        let bin = IndexDefinition("i", namespace: "test", bin: name, type: .integer)
        let namespace = IndexDefinition("i", namespace: name, bin: "b", type: .integer)
        for index in [index, bin, namespace] {
            #expect(try refusal { try index.createCommand(Self.new) } == .invalidArgument)
            #expect(try refusal { try index.createCommand(Self.old) } == .invalidArgument)
        }
        for version in [Self.old, Self.new] {
            #expect(
                try refusal { try IndexDefinition.dropCommand(name, namespace: "test", version) } == .invalidArgument
            )
            #expect(
                try refusal { try IndexDefinition.statusCommand(name, namespace: "test", version) } == .invalidArgument
            )
            #expect(try refusal { try ServerConfiguration.command(namespace: name, version) } == .invalidArgument)
        }
        #expect(try refusal { try FunctionModule.removeCommand(name) } == .invalidArgument)
        #expect(try refusal { try FunctionModule.contentCommand(name) } == .invalidArgument)
        #expect(try refusal { try FunctionModule.registerCommand(name + ".lua", content: [1]) } == .invalidArgument)
    }

    @Test func namesThatOldServersCannotTakeAreRefused() throws {
        let comma = IndexDefinition("i", namespace: "test", bin: "a,b", type: .integer)
        #expect(try refusal { try comma.createCommand(Self.old) } == .invalidArgument)
        #expect(try comma.createCommand(Self.new).text.contains("bin=a,b;"))
        #expect(
            try refusal { try IndexDefinition.statusCommand("a/b", namespace: "test", Self.old) } == .invalidArgument
        )
        let long = IndexDefinition("i", namespace: "test", bin: "0123456789abcdef", type: .integer)
        #expect(try refusal { try long.createCommand(Self.new) } == .invalidArgument)
    }

    @Test func theStateOfAnIndexIsRead() throws {
        #expect(try IndexDefinition.isReady("entries=0;load_pct=100;load_time=0"))
        #expect(try !IndexDefinition.isReady("entries=0;load_pct=99"))
        #expect(try !IndexDefinition.isReady("ERROR:201:no index"))
        #expect(try refusal { try IndexDefinition.isReady("ERROR:20:no namespace") } == .namespaceNotFound)
        #expect(try refusal { try IndexDefinition.isReady("entries=0") } == .malformedReply)
        #expect(try refusal { try IndexDefinition.isReady("load_pct=many") } == .malformedReply)
    }

    // MARK: Functions

    @Test func modulesAreRegisteredListedAndRead() throws {
        #expect(
            try FunctionModule.registerCommand("m.lua", content: Array("abcd".utf8)).text
                == "udf-put:filename=m.lua;content=YWJjZA==;content-len=8;udf-type=LUA"
        )
        for name in ["m", ".lua", "m.", "a/b.lua"] {
            #expect(try refusal { try FunctionModule.registerCommand(name, content: [1]) } == .invalidArgument)
        }
        #expect(try refusal { try FunctionModule.registerCommand("m.lua", content: []) } == .invalidArgument)
        let tooLong = [UInt8](repeating: 32, count: 1024 * 1024 + 1)
        #expect(try refusal { try FunctionModule.registerCommand("m.lua", content: tooLong) } == .invalidArgument)
        #expect(
            try FunctionModule.parseList("filename=a.lua,hash=0f,type=LUA;filename=b.lua,hash=1e,type=LUA;")
                == [FunctionModule(name: "a.lua", hash: "0f"), FunctionModule(name: "b.lua", hash: "1e")]
        )
        #expect(try FunctionModule.parseList("").isEmpty)
        #expect(try refusal { try FunctionModule.parseList("filename=a.lua") } == .malformedReply)
        #expect(try FunctionModule.parseContent("type=LUA;content=YWJjZA==;") == Array("abcd".utf8))
        #expect(try refusal { try FunctionModule.parseContent("type=LUA;content=YWJj!") } == .malformedReply)
        #expect(try refusal { try FunctionModule.parseContent("error=not_found") } == .notFound)
    }

    @Test func whatIsWrongWithAModuleIsTold() throws {
        let answer = "error=compile_error;file=x.lua;line=1;message=c3ludGF4IGVycm9yIG5lYXIgPGVvZj4="
        let error = try #require(throws: AerospikeError.self) { try FunctionModule.check(answer) }
        #expect(error.code == .udfExecution)
        #expect(error.message == "The module does not compile: x.lua, line 1: syntax error near <eof>.")
        #expect(try refusal { try FunctionModule.check("error=invalid_filename") } == .invalidRequest)
        #expect(try refusal { try FunctionModule.check("ERROR:81:role violation") } == .roleViolation)
        let late = try #require(throws: AerospikeError.self) { try FunctionModule.check("error=timeout") }
        #expect(late.code == .timeout && late.inDoubt)
        try FunctionModule.check("ok")
    }

    // MARK: Background queries and configuration

    @Test func theProgressOfAQueryIsRead() throws {
        let begun =
            "trid=5:ns=test:rps=0:active-threads=1:status=active(ok):job-progress=12.50:recs-succeeded=3:recs-failed=1"
        let progress = try BackgroundProgress(parsing: begun)
        #expect(!progress.isDone && progress.percent == 12.5)
        #expect(progress.succeededCount == 3 && progress.failedCount == 1)
        #expect(try BackgroundProgress(parsing: "status=done(ok):job-progress=100.00").isDone)
        #expect(try BackgroundProgress(parsing: "ERROR:2:job not found").isDone)
        #expect(try refusal { try BackgroundProgress(parsing: "status=done(user-aborted)") } == .queryAborted)
        #expect(try refusal { try BackgroundProgress(parsing: "trid=5") } == .malformedReply)
        #expect(try refusal { try BackgroundProgress(parsing: "ERROR:4:bad id") } == .invalidRequest)
        #expect(try BackgroundProgress.command(taskID: .max, Self.new).text == "query-show:id=18446744073709551615")
        #expect(try BackgroundProgress.command(taskID: 5, Self.old).text == "query-show:trid=5")
    }

    @Test func aConfigurationIsTyped() throws {
        let configuration = ServerConfiguration(
            parsing: "nsup-period=10;strong-consistency=false;storage-engine=memory;geo2dsphere-within.strict=true"
        )
        #expect(configuration.integer("nsup-period") == 10)
        #expect(configuration.boolean("strong-consistency") == false)
        #expect(configuration.boolean("geo2dsphere-within.strict") == true)
        #expect(configuration["storage-engine"] == "memory")
        #expect(configuration.integer("storage-engine") == nil)
        #expect(configuration.boolean("nsup-period") == nil)
        #expect(configuration["nothing"] == nil)
        #expect(
            try ServerConfiguration.command(namespace: "n", Self.new).text == "get-config:context=namespace;namespace=n"
        )
        #expect(try ServerConfiguration.command(namespace: "n", Self.old).text == "get-config:context=namespace;id=n")
    }

    @Test func queriesInTheBackgroundOnlyWrite() throws {
        var buffer = ByteBuffer()
        func refused(_ query: BackgroundQuery) throws -> ResultCode {
            try refusal { try query.write(into: &buffer, timeoutMilliseconds: 0) }
        }
        let all = QueryRequest(namespace: "test", set: "s", taskID: 1)
        #expect(try refused(BackgroundQuery(all, .operations([]))) == .invalidArgument)
        #expect(try refused(BackgroundQuery(all, .operations([.add("a", 1), .get("a")]))) == .invalidArgument)
        #expect(try refused(BackgroundQuery(all, .operations([.put("0123456789abcdef", 1)]))) == .invalidArgument)
        var some = all
        some.partitionIDs = [1]
        #expect(try refused(BackgroundQuery(some, .operations([.add("a", 1)]))) == .invalidArgument)
        #expect(buffer.readableBytes == 0)
    }
}
