package import Testing

#if FAILPOINTS
    private let hasFailpoints = true
#else
    private let hasFailpoints = false
#endif

extension Trait where Self == ConditionTrait {
    /// For tests that set off a failpoint of the built program.
    package static var needsFailpoints: Self {
        .enabled(if: hasFailpoints, "built without failpoints: swift build --build-tests -Xswiftc -DFAILPOINTS")
    }
}
