/// Scripts that their engine accepts as they are, run in an empty schema or file, and that return no rows.
enum SQLCorpus {
    static let postgresql = [
        quotes, bodies, routines, lookAlikes, operators, rules,
    ]
    static let sqlite = [sqliteQuotes, sqliteTriggers, sqliteLookAlikes, sqliteComments]

    private static let quotes = #"""
        create table "a;b" (x text, "c""d;" text default 'it''s; -- no comment');
        insert into "a;b" values (E'a\'b;\\', U&'d\0061t\+000061;'), (e'x''y;', 'back\');
        insert into "a;b" values ('one'
          'two;', E'one\';'  -- between ;
          'three\';');
        comment on table "a;b" is $$dollar ; ' " -- /* $$;
        comment on table "a;b" is $tag$ $$ ; $ta$ ; $tag $ $tag$;;
        ;
        insert into "a;b" values (N'national;'); insert into "a;b" values (B'01', X'1F;'); -- last ; comment
        comment on table "a;b" is $Ünï$ ; $Ünï$;
        create table d$1 (a$b$c int); create index on d$1 (a$b$c)
        """#
        .replacing("X'1F;'", with: "X'1F'::text")

    private static let bodies = """
        /* nested /* comment ; */ still ; */ create table t (a int, "end" int);
        create function one() returns int language sql begin atomic
          select 1;
          select case when a > 0 then case a when 1 then 2 else 3 end end from t; -- end;
          select "end" from t;
        end;
        create or replace procedure two(x int) language sql
          BEGIN ATOMIC insert into t values (1, (select case when true then 1 end)); END;
        create function three() returns void language sql begin /* ; */ atomic end;
        create function four(a int) returns int return a + 1;
        insert into t values (1, 1);
        """

    private static let routines = #"""
        create function f() returns int language plpgsql as $$
        begin
          perform 1; -- commit;
          return case when true then 1 else 2 end;
        end; $$;
        create procedure p() language plpgsql as $body$ begin commit; rollback; end $body$;
        do $$ begin perform 1; end $$;
        do $outer$ begin execute $$select ';'$$; end; $outer$ language plpgsql;
        create function g(begin_at timestamp, commit int default 1) returns int language 'sql' as 'select 1; select 2;';
        """#

    private static let lookAlikes = """
        create table begin_work (commit int, begin int, "rollback" text, abort int, vacuum int);
        create type mood as enum ('sad');
        alter type mood add value 'happy';
        set transaction isolation level read committed;
        prepare commit as insert into begin_work (commit) values ($1);
        execute commit(1); deallocate commit;
        lock table begin_work in share mode;
        declare c cursor for select 1; close c;
        savepoint begin; release savepoint begin; savepoint s; rollback to savepoint s; release s;
        prepare transaction (int) as insert into begin_work (begin) values ($1);
        update begin_work set commit = case when begin > 1 then 2 end;
        analyze begin_work; -- vacuum;
        create view started as select begin as start, commit as "end" from begin_work;
        """

    private static let operators = """
        create table j (a jsonb, b int);
        update j set b = (a->>'x')::int, a = a #- '{x,y}' where a->'x;' is not null and a @> '{"k": ";"}';
        update j set b = b-1--2; comment
        -3 where b <-- another ;
          5 and a ? 'x' and b = any (array[1,2]);
        update j set b = b /* ; */+/* ; */1 where b <@ int4range(1, 3);
        """

    private static let rules = """
        create table r (a int); create table log (a int);
        create rule twice as on insert to r do also (insert into log values (new.a); insert into log values (new.a * 2););
        insert into r values ((1)), ((2));
        """

    private static let sqliteQuotes = """
        create table t("a;b", `c;d`, [e;f], g default 'it''s;'); -- comment ; '
        insert into t values('x;''y', x'3b', ";", 'back\\'); /* ; */ insert into t(g) values('z');;
        ;
        insert into t(g) values(1.5e3-1--2;
        );
        insert into t(g) values('ü;'), ('日本;'), ('😀;');
        update t set g = $name::x(a;b), "a;b" = :who, [e;f] = @at, `c;d` = ?1
        """

    private static let sqliteTriggers = """
        create table t(a, b, begin, end);
        create trigger one after insert on t begin
          update t set a = case when a then case b when 1 then 2 end else 3 end; -- end;
          insert into t(end, begin) select begin, end from t where 0;
        end;
        create temp trigger if not exists two before delete on t when old.a > 1 begin delete from t where 0; END ;
        CREATE TRIGGER [three;] instead of update on v begin select 1; end;
        insert into t values(1, 2, 3, 4);
        drop trigger one;
        """
        .replacing("create temp trigger", with: "create view v as select a from t;\ncreate temp trigger")

    private static let sqliteLookAlikes = """
        create table "begin"(commit_at, 'rollback', vacuum_at); -- commit;
        savepoint s; insert into "begin" values(1, 2, 3); release s; savepoint s; rollback to s; release s;
        pragma user_version = 7; pragma defer_foreign_keys = on;
        create view v as select case when commit_at then 1 end as "end" from "begin";
        update "begin" set commit_at = 'begin; commit;';
        """

    private static let sqliteComments = """
        -- a comment ; first
        /* not /* nested ; */
        create table t(a) /* ; */;
        /**/ insert into t values(1) -- ; no end
        , (2);
        /***/ delete from t where a = 4 /*/ ; */;
        """
}
