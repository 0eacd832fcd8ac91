import BeanspikeCore

/// What to type to change a setting, and where it stays.
struct SettingsRemedies {
    private let settings: NamespaceSettings

    init(_ settings: NamespaceSettings) {
        self.settings = settings
    }

    /// Sets a setting of the namespace, on the nodes given or on all.
    func set(
        _ name: String,
        to value: String,
        on nodes: [NodeSettings]? = nil,
        reclustering: Bool = false,
        advice: String
    ) -> StoreFinding.Remedy {
        let namespace = settings.namespace
        var commands = [asadm("manage config namespace \(namespace) param \(name) to \(value)")]
        var alternatives = (nodes ?? settings.members).map {
            asinfo($0, "set-config:context=namespace;id=\(namespace);\(name)=\(value)")
        }
        if reclustering {
            commands.append(asadm("manage recluster"))
            alternatives += settings.nodes.map { asinfo($0, "recluster:") }
        }
        return StoreFinding.Remedy(
            advice,
            commands: commands,
            alternatives: alternatives,
            configuration: inNamespace("\(name) \(value)")
        )
    }

    /// Sets a setting of the nodes themselves.
    func setService(_ name: String, to value: String, advice: String) -> StoreFinding.Remedy {
        StoreFinding.Remedy(
            advice,
            commands: [asadm("manage config service param \(name) to \(value)")],
            alternatives: settings.nodes.map { asinfo($0, "set-config:context=service;\(name)=\(value)") },
            configuration: ["service {", "    \(name) \(value)", "}"]
        )
    }

    /// A change that takes a restart of the nodes.
    func restart(_ lines: String..., advice: String) -> StoreFinding.Remedy {
        StoreFinding.Remedy(advice, configuration: inNamespace(lines))
    }

    private func inNamespace(_ lines: String...) -> [String] { inNamespace(lines) }

    private func inNamespace(_ lines: [String]) -> [String] {
        ["namespace \(settings.namespace) {"] + lines.map { "    \($0)" } + ["}"]
    }

    /// On all nodes at once, with Aerospike's tool.
    func asadm(_ command: String) -> String {
        "asadm\(address(settings.nodes.first)) --enable -e \"\(command)\""
    }

    /// On one node.
    func asinfo(_ node: NodeSettings, _ command: String) -> String {
        "asinfo\(address(node)) -v '\(command)'"
    }

    private func address(_ node: NodeSettings?) -> String {
        guard let address = node?.address else { return "" }
        return " -h \(address.host) -p \(address.port)"
    }
}
