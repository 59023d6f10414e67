/// Which Muster this is.
enum MusterVersion {
    static let current = "0.1.0"

    /// The Swift language version of the compiler, as far as source can ask for it.
    static let compiler: String = {
        #if compiler(>=6.4)
            "6.4 or newer"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }()
}
