extension PostgresSchema {
    /// Version 3: a claim sets what the script needs and looks at its target. The functions themselves are replaced at
    /// every upgrade; the one of fewer parameters would stay beside it.
    static let version3 = """
        drop function if exists {s}.claim(
            text, text, text, text, text, text, text, boolean, text, text, integer, bigint, bigint, bigint);
        """
}
