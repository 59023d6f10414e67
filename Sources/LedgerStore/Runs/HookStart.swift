package import RunbookModel

/// A hook around a run or a tenant that this runner has begun.
package struct HookStart: Sendable, Hashable {
    package var hook: RunHook
    package var run: String
    /// Empty for a hook around the run.
    package var tenant: String
    package var attempt: Int

    package init(hook: RunHook, run: String, tenant: String = "", attempt: Int) {
        self.hook = hook
        self.run = run
        self.tenant = tenant
        self.attempt = attempt
    }
}

/// What came of asking to begin a hook.
package enum HookTaking: Sendable {
    /// It is this runner's now.
    case begun(HookStart)
    /// It has ended, and is not started again.
    case ended(HookReport)
    /// Another runner that lives has started it.
    case elsewhere
    /// Its runner is gone and its end was not seen: what is left of it must be out of the way before it is taken.
    case unseen(PreviousAttempt, attempt: Int)
}
