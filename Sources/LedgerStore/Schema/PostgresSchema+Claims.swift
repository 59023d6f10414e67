extension PostgresSchema {
    /// Version 3: a claim sets what the script needs and looks at its target. The functions themselves are replaced at
    /// every upgrade; the one of fewer parameters would stay beside it.
    static let version3 = """
        drop function if exists {s}.claim(
            text, text, text, text, text, text, text, boolean, text, text, integer, bigint, bigint, bigint);
        """

    /// Version 8: a claim is told what is sealed, and has the time limits by name. The functions are replaced at every
    /// upgrade; those of other parameters would stay beside them. What a check costs in every record, the text of its
    /// condition read again each time, is more than it guards: only Muster writes there.
    static let version8 = """
        drop function if exists {s}.claim(
            text, text, text, text, text, text, text, boolean, text, text, integer, bigint, bigint, bigint, text[], text,
            text);
        drop function if exists {s}.claim_undo(
            text, text, text, text, text, text, text, boolean, text, text, integer, bigint, bigint, bigint, text[], text,
            text);
        alter table {s}.executions drop constraint if exists executions_state_check;
        """

    /// Version 11: what answers nothing is called as a procedure, and a record is told where it is new. What is made anew at
    /// every upgrade cannot become a procedure, and would stay beside what has another parameter.
    static let version11 = """
        drop routine if exists {s}.claim_kept(
            text, text, text, text[], text, text, integer, bigint, bigint, bigint, text, text, text[], text, text);
        drop routine if exists {s}.claim_next(text, bigint, bigint, text, text, text[], text, text);
        drop routine if exists {s}.step(text, text, text, text[], text, text);
        drop function if exists {s}.record(text, text, text, text, text, text, text, text);
        drop function if exists {s}.record_stage(text, text, text, text[], text[], text[], text, text);
        """
}
