// swift-tools-version: 6.2
import PackageDescription

// Small programs with the library, a package of their own as yours would be: swift run --package-path Examples MailWorker
let package = Package(
    name: "examples",
    dependencies: [
        .package(name: "beanspike", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "Producer",
            dependencies: [.product(name: "Beanspike", package: "beanspike")],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
        .executableTarget(
            name: "MailWorker",
            dependencies: [
                .product(name: "Beanspike", package: "beanspike"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ),
    ]
)
