/// What a command line asks for.
package enum Invocation: Sendable {
    case run(ParsedArguments)
    /// Help on a command, on a family of commands (`locks`), or on all of them (empty).
    case help([String])
}
