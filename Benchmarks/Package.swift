// swift-tools-version: 6.2
import PackageDescription

// Programs that measure. They are a package of their own, so that nothing of them is built with the product.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "beanspike", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "aerospike-bench",
            dependencies: [
                .product(name: "Aerospike", package: "beanspike"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .executableTarget(
            name: "library-bench",
            dependencies: [
                .product(name: "Aerospike", package: "beanspike"),
                .product(name: "Beanspike", package: "beanspike"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .executableTarget(
            name: "queue-bench",
            dependencies: [
                .product(name: "Aerospike", package: "beanspike"),
                .product(name: "AerospikeStore", package: "beanspike"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
    ]
)
