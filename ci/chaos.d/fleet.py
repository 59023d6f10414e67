"""A fleet: a folder with a manifest that grows by a deploy a time, and the model of what must be there afterwards."""

import json
from collections import Counter
from pathlib import Path
from random import Random

from layouts import Layout, Postgres

# What may be seen of a finished identity: its effects.
EXACTLY_ONCE, AT_LEAST_ONCE = "exactly once", "at least once"
DONE = ("succeeded", "baselined")


class Fleet:
    def __init__(self, layout: Layout, random: Random) -> None:
        self.layout, self.random, self.folder = layout, random, layout.folder
        self.postgres = isinstance(layout, Postgres)
        self.has_receipts = layout.name != "schemas"
        self.deploys = 0
        self.runbooks: list[dict[str, object]] = []
        self.promise: dict[str, str] = {}
        self.once_for_all: list[str] = []
        self.hooks: list[str] = []
        self.ever: list[str] = []
        self.present: list[str] = []
        self.finished: dict[tuple[str, str], tuple[str, ...]] = {}
        self.attempts: dict[tuple[str, str], int] = {}
        (self.folder / "sql").mkdir()
        hook = self.folder / "hook"
        hook.write_text('#!/bin/sh\necho "$MUSTER_TENANT $MUSTER_RUNBOOK" >>effects\n')
        hook.chmod(0o755)
        (self.folder / "effects").touch()
        layout.make()
        self.grow(random.randint(3, 6) if layout.name == "databases" else random.randint(4, 14))

    def grow(self, count: int) -> None:
        new = [f"t{len(self.ever) + number}" for number in range(1, count + 1)]
        self.layout.add(new)
        self.ever += new
        self.present += new

    # What a deploy brings

    def deploy(self) -> None:
        """Adds runbooks, sometimes adds or removes a tenant, and writes the manifest."""
        self.deploys += 1
        if self.deploys > 1:
            # Their databases have no table of receipts yet.
            if self.layout.name == "databases" or self.random.random() < 0.4:
                self.grow(1)
            if self.random.random() < 0.3 and len(self.present) > 3:
                self.present.remove(self.random.choice(self.present))
        kinds = ["script", "slow"]
        more = ["batch", "direct", "verified", "hook", "workspace", "once"] + (["index"] if self.postgres else [])
        kinds += self.random.sample(more, 4)
        for kind in kinds:
            getattr(self, kind)(f"d{self.deploys}_{kind}")
        self.write()

    def write(self) -> None:
        manifest = {
            "manifest": 1, "ledger": {"url": self.layout.ledger()}, "tenants": self.layout.tenants(self.present),
            "defaults": {"lock_wait": "20s"},
            "concurrency": {"tenants": self.random.choice([1, 3, 6]), "per_server": 16},
            "runbooks": self.runbooks,
        }
        (self.folder / "muster.json5").write_text(json.dumps(manifest, indent=1))

    def sql(self, name: str, text: str) -> str:
        (self.folder / "sql" / name).write_text(text)
        return f"sql/{name}"

    def add(self, name: str, promise: str, text: str, **fields: object) -> None:
        self.promise[name] = promise
        self.runbooks.append({"id": name, "sql": self.sql(f"{name}.sql", text), **fields})

    def witness(self, name: str) -> str:
        if self.postgres:
            return f"insert into witness (identity) values ('{name}');\n"
        return f"insert into witness (identity, tenant) values ('{name}', muster_tenant());\n"

    def script(self, name: str) -> None:
        self.add(name, EXACTLY_ONCE, f"create table {name} (n integer);\n" + self.witness(name))

    def slow(self, name: str) -> None:
        """Takes a while in its transaction, before and after its effect."""
        if self.postgres:
            wait = f"select pg_sleep({self.random.choice([0.005, 0.02, 0.1])});\n"
        else:
            count = self.random.choice([1000, 20000, 100000])
            wait = f"with recursive c(n) as (select 1 union all select n + 1 from c where n < {count}) select max(n) from c;\n"
        after = [self.runbooks[-1]["id"]] if self.random.random() < 0.5 else []
        self.add(name, EXACTLY_ONCE, wait + self.witness(name) + wait, after=after)

    def direct(self, name: str) -> None:
        free = "insert into orders values (0, 'direct');\n" if self.postgres else "pragma optimize;\n"
        self.add(name, AT_LEAST_ONCE, self.witness(name) + free, transaction=False, repeatable=True)

    def verified(self, name: str) -> None:
        verify = self.sql(f"{name}.verify.sql", f"select count(*) > 0 from witness where identity = '{name}'\n")
        self.add(name, EXACTLY_ONCE, self.witness(name), transaction=False, verify=verify)

    def once(self, name: str) -> None:
        """At most once by itself; exactly once with a person who looks."""
        self.add(name, EXACTLY_ONCE, self.witness(name), transaction=False)

    def batch(self, name: str) -> None:
        """A few batches, of which one has an effect; a batch that is lost or repeated shows in it."""
        if self.postgres:
            pages, page = 6, self.random.randint(1, 6)
            text = (f"with page as (select coalesce(:cursor::int, 0) + 1 as n where coalesce(:cursor::int, 0) < {pages} limit :limit),\n"
                    f"done as (insert into witness (identity) select '{name}' from page where n = {page})\n"
                    "select n as cursor, 1 as rows from page\n")
        else:
            text = (f"insert into witness (identity, tenant) select '{name}', muster_tenant()\n"
                    "where coalesce(:cursor, 0) < 1 limit :limit returning 1 as cursor\n")
        self.promise[name] = EXACTLY_ONCE
        self.runbooks.append({"id": name, "batch": {"sql": self.sql(f"{name}.sql", text), "size": 1, "target": "none",
                                                    "pause": self.random.choice(["0ms", "5ms"])}})

    def index(self, name: str) -> None:
        text = (f"drop index concurrently if exists {name};\n"
                f"create index concurrently {name} on orders (note, n);\n" + self.witness(name))
        self.add(name, AT_LEAST_ONCE, text, transaction=False, repeatable=True)

    def hook(self, name: str) -> None:
        self.hooks.append(name)
        self.runbooks.append({"id": name, "exec": ["./hook"], "repeatable": True, "timeout": "2s"})

    def workspace(self, name: str) -> None:
        """Runs once, a barrier on both sides."""
        self.once_for_all.append(name)
        table = "public.workspace_witness" if self.postgres else "workspace_witness"
        self.runbooks.append({"id": name, "scope": "workspace",
                              "sql": self.sql(f"{name}.sql", f"insert into {table} values ('{name}');\n")})

    def forget(self, tenant: str, kept: set[tuple[str, str]]) -> None:
        """The tenant was put back: what had not been finished there by then is to be done again."""
        for key in [key for key in self.finished if key[0] == tenant and key not in kept]:
            del self.finished[key]

    def change_a_body(self) -> None:
        """Changes a script that is done; nothing may come of it."""
        name = self.random.choice([runbook["id"] for runbook in self.runbooks if "sql" in runbook])
        with (self.folder / "sql" / f"{name}.sql").open("a") as script:
            script.write("-- changed\n")

    # What must be there

    def violations(self) -> list[str]:
        """Everything that differs from the model once a clean runner has said that all is done."""
        return list(self.of_ledger()) + list(self.of_effects()) + self.layout.leftovers(self.ever)

    def unknown(self) -> list[tuple[str, str, bool]]:
        """Tenant and runbook of each execution whose end was not seen, and whether its effect is there."""
        self.layout.settle_down()
        effects = Counter(self.layout.effects(self.ever))
        return [(tenant, name, effects[tenant, name] > 0) for (tenant, name), row in self.executions().items()
                if row[0] in ("unknown", "running") and tenant in self.present]

    def executions(self) -> dict[tuple[str, str], tuple[str, ...]]:
        newline = "chr(10)" if self.postgres else "char(10)"
        rows = self.layout.ask(
            "select k.tenant, k.runbook, k.state, k.attempt, coalesce(k.run_id, ''), coalesce(e.sqlstate, ''),"
            f" coalesce(replace(e.message, {newline}, ' '), '') from {{known}} k left join {{executions}} e"
            " on e.workspace = k.workspace and e.tenant = k.tenant and e.runbook = k.runbook and e.key = k.key")
        return {(row[0] or "", row[1] or ""): tuple(cell or "" for cell in row[2:]) for row in rows}

    def of_ledger(self):
        for row in self.layout.ask("select id, status, stage from {runs} where status <> 'completed'"):
            yield f"run left open: {row}"
        for row in self.layout.ask("select run_id, tenant, state from {jobs} where state in ('queued', 'running')"):
            yield f"job stuck: {row}"
        for row in self.layout.ask(
                "select r.id, r.already_done, r.total, r.processed, r.succeeded, r.skipped, r.failed, r.blocked,"
                " r.unknown, r.cancelled, count(j.tenant), sum(case when j.state = 'succeeded' then 1 else 0 end),"
                " sum(case when j.state = 'skipped' then 1 else 0 end),"
                " sum(case when j.state = 'failed' then 1 else 0 end),"
                " sum(case when j.state = 'blocked' then 1 else 0 end),"
                " sum(case when j.state = 'unknown' then 1 else 0 end),"
                " sum(case when j.state = 'cancelled' then 1 else 0 end)"
                " from {runs} r left join {jobs} j on j.run_id = r.id and j.tenant <> ''"
                " where r.status = 'completed' group by r.id"):
            already, total, processed, *counts = (int(cell or 0) for cell in row[1:10])
            rows, *states = (int(cell or 0) for cell in row[10:])
            states[1] += already
            if not total == processed == already + rows or counts != states:
                yield f"the counts of a run are not its rows: {row}"
        for row in self.layout.ask(
                "select tenant, runbook, run_id, runner, attempt from {executions} e where state = 'succeeded' and not"
                " exists (select 1 from {attempts} a where a.tenant = e.tenant and a.runbook = e.runbook"
                " and a.attempt = e.attempt and a.state = e.state)"):
            yield f"done, and not in the history: {row}"
        last: dict[tuple[str, str], int] = {}
        for tenant, runbook, attempt in self.layout.ask("select tenant, runbook, attempt from {attempts} order by id"):
            key, number = (tenant or "", runbook or ""), int(attempt or 0)
            if number < last.get(key, 0):
                yield f"an attempt's number fell: {key} from {last[key]} to {number}"
            last[key] = number

    def of_effects(self):
        executions = self.executions()
        effects = Counter(self.layout.effects(self.ever))
        receipts = self.layout.receipts(self.ever)
        hooks = Counter(tuple(line.split(" ")) for line in (self.folder / "effects").read_text().splitlines())
        for tenant in self.present:
            for name in [*self.promise, *self.hooks]:
                count = hooks[tenant, name] if name in self.hooks else effects[tenant, name]
                state = executions.get((tenant, name), ("pending",))[0]
                if state not in DONE:
                    yield f"{tenant} {name} is not done: {executions.get((tenant, name))}, {count} effects"
                if state in DONE and count == 0:
                    yield f"{tenant} {name} is lost: {executions[tenant, name]}"
                receipt = receipts.get((tenant, name), ("missing", ""))
                if state in DONE and receipt[0] not in DONE:
                    yield f"{tenant} {name}: the ledger says {executions[tenant, name]}, the receipt {receipt}"
        done = {(run, tenant) for (tenant, _), (state, run) in receipts.items() if state == "succeeded"}
        for row in self.layout.ask("select run_id, tenant from {jobs} where state = 'skipped' and message is null"):
            if row in done:
                yield f"what a run has done is counted as skipped: {row}"
        for (tenant, name), count in effects.items():
            if " in " in tenant:
                yield f"an effect in the wrong tenant: {tenant} {name}"
            elif count > 1 and self.promise[name] != AT_LEAST_ONCE:
                yield f"{tenant} {name} has {count} effects: {executions.get((tenant, name))}"
        whole = Counter(self.layout.workspace_effects())
        for name in self.once_for_all:
            if whole[name] != 1 or executions.get(("", name), ("pending",))[0] not in DONE:
                yield f"workspace {name}: {whole[name]} effects, {executions.get(('', name))}"
        for key, row in executions.items():
            if int(row[1]) < self.attempts.get(key, 0):
                yield f"an execution's attempt fell: {key} from {self.attempts[key]} to {row[1]}"
            self.attempts[key] = int(row[1])
            if key in self.finished and self.finished[key] != row:
                yield f"a finished identity was touched: {key} {self.finished[key]} -> {row}"
            if row[0] in DONE:
                self.finished[key] = row
        for tenant, name in self.layout.ask(
                "select distinct tenant, runbook from {attempts} where sqlstate in ('42P07', '23505')"
                " or message like '%already exists%'"):
            yield f"{tenant} {name} was begun again after it was done"
