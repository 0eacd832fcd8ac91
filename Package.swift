// swift-tools-version: 6.2
import PackageDescription

/// The settings that every target of ours is built with (docs/architecture.md, "Settings").
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let nio = "swift-nio"

let package = Package(
    name: "beanspike",
    products: [
        .library(name: "Beanspike", targets: ["Beanspike"]),
        .library(name: "Aerospike", targets: ["Aerospike"]),
        .library(name: "AerospikeStore", targets: ["AerospikeStore", "BeanspikeCore"]),
        .library(name: "AerospikeTestKit", targets: ["AerospikeTestKit"]),
        .executable(name: "beanspiked", targets: ["beanspiked"]),
        .executable(name: "beanspike", targets: ["BeanspikeCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // The queue's model: no sockets, no store.
        .target(name: "BeanspikeCore", swiftSettings: settings),

        // Bodies made smaller, and whole again.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .target(name: "BodyCompression", dependencies: ["BeanspikeCore", "CLZ4"], swiftSettings: settings),

        // Stores.
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "EmbeddedStore", dependencies: ["BeanspikeCore", "CSQLite"], swiftSettings: settings),
        .target(name: "JobStoreTestKit", dependencies: ["BeanspikeCore"], swiftSettings: settings),

        // The library: connections, tubes, jobs and workers, on the store that a URL names.
        .target(
            name: "Beanspike",
            dependencies: [
                "Aerospike", "AerospikeStore", "BeanspikeCore", "BodyCompression", "EmbeddedStore",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),

        // The server.
        .target(
            name: "BeanstalkProtocol",
            dependencies: ["BeanspikeCore", .product(name: "NIOCore", package: nio)],
            swiftSettings: settings
        ),
        .target(
            name: "BeanspikeServer",
            dependencies: [
                "BeanspikeCore", "BeanstalkProtocol", "BodyCompression",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .systemLibrary(name: "CMalloc"),
        .executableTarget(
            name: "beanspiked",
            dependencies: [
                "CMalloc",
                "Beanspike", "BeanspikeCore", "BeanspikeServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),

        // The command line.
        .systemLibrary(name: "CEpoll"),
        .executableTarget(
            name: "BeanspikeCommand",
            dependencies: [
                "CEpoll",
                "Beanspike", "BeanspikeCore", "BeanspikeServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
            ],
            swiftSettings: settings
        ),

        // The client of the Aerospike protocol: it knows nothing of queues.
        .target(
            name: "Aerospike",
            dependencies: [
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: nio),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "AerospikeTestKit",
            dependencies: [
                "Aerospike",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings
        ),

        // The queue on an Aerospike cluster, shared by any number of processes.
        .target(
            name: "AerospikeStore",
            dependencies: [
                "Aerospike", "BeanspikeCore",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),

        // Tests.
        .testTarget(name: "BeanspikeCoreTests", dependencies: ["BeanspikeCore"], swiftSettings: settings),
        .testTarget(
            name: "BodyCompressionTests",
            dependencies: ["BeanspikeCore", "BodyCompression", "CLZ4"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "JobStoreTestKitTests",
            dependencies: ["BeanspikeCore", "JobStoreTestKit"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EmbeddedStoreTests",
            dependencies: ["BeanspikeCore", "EmbeddedStore", "JobStoreTestKit", "CSQLite"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "WorkerUnderTest",
            dependencies: ["Beanspike", .product(name: "Logging", package: "swift-log")],
            path: "Tests/WorkerUnderTest",
            swiftSettings: settings
        ),
        .testTarget(
            name: "BeanspikeTests",
            dependencies: [
                "AerospikeTestKit", "Beanspike", "BeanspikeCore", "WorkerUnderTest",
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BeanstalkProtocolTests",
            dependencies: [
                "BeanspikeCore", "BeanstalkProtocol",
                .product(name: "NIOCore", package: nio),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BeanspikeServerTests",
            dependencies: [
                "BeanspikeCore", "BeanspikeServer", "BeanstalkProtocol", "EmbeddedStore",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOEmbedded", package: nio),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "BeanspikeCommandTests",
            dependencies: [
                "Beanspike", "BeanspikeCommand", "BeanspikeCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["Aerospike", "AerospikeTestKit"],
            exclude: ["Clients", "Transcripts"],
            swiftSettings: settings
        ),
        .target(
            name: "AerospikeTestSupport",
            dependencies: [
                "Aerospike", "AerospikeTestKit",
                .product(name: "NIOCore", package: nio),
            ],
            path: "Tests/AerospikeTestSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "AerospikeTestKitTests",
            dependencies: [
                "Aerospike", "AerospikeTestKit", "AerospikeTestSupport",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            exclude: ["Clients"],
            resources: [.embedInCode("Vectors/collections.txt")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AerospikeStoreTests",
            dependencies: [
                "Aerospike", "AerospikeStore", "AerospikeTestKit", "BeanspikeCore", "JobStoreTestKit",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AerospikeTests",
            dependencies: [
                "Aerospike", "AerospikeTestKit", "AerospikeTestSupport",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOEmbedded", package: nio),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            exclude: [
                "Certificates/README.md", "Certificates/make.sh",
                "Vectors/README.md", "Vectors/crosscheck.py", "Vectors/expressions.py", "Vectors/keys.py",
                "Vectors/operations.py",
            ],
            resources: [
                .embedInCode("Certificates/address.pem"), .embedInCode("Certificates/authority.pem"),
                .embedInCode("Certificates/client.key"), .embedInCode("Certificates/client.pem"),
                .embedInCode("Certificates/node.key"), .embedInCode("Certificates/node.pem"),
                .embedInCode("Vectors/bitsandsketches.txt"), .embedInCode("Vectors/evaluation.txt"),
                .embedInCode("Vectors/expressions.txt"),
                .embedInCode("Vectors/keys.txt"), .embedInCode("Vectors/operations.txt"),
            ],
            swiftSettings: settings
        ),
    ]
)
