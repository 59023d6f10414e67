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
        self.undo: dict[str, str] = {}
        self.has_waves, self.has_hooks = random.random() < 0.6, random.random() < 0.6
        self.has_tenant_hooks = self.has_hooks and random.random() < 0.4
        self.ever: list[str] = []
        self.present: list[str] = []
        self.finished: dict[tuple[str, str], tuple[str, ...]] = {}
        self.attempts: dict[tuple[str, str], int] = {}
        (self.folder / "sql").mkdir()
        hook = self.folder / "hook"
        hook.write_text('#!/bin/sh\necho "$MUSTER_TENANT $MUSTER_RUNBOOK" >>effects\n')
        hook.chmod(0o755)
        # A hook around a run, and a gate between two waves: each says when it begins and when it ends.
        around = self.folder / "around"
        around.write_text('#!/bin/sh\nsay() { echo "$1 ${MUSTER_HOOK:-gate} $MUSTER_RUN_ID $MUSTER_TENANT" >>rounds; }\n'
                          "say begin\nsleep 0.01\nsay end\n")
        around.chmod(0o755)
        for name in ("effects", "rounds"):
            (self.folder / name).touch()
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
        if self.has_waves:
            manifest["rollout"] = {"waves": [
                {"name": "canary", "limit": 1, "pause": self.random.choice(["10ms", "200ms"])},
                {"name": "early", "share": "40%", "gate": {"exec": ["./around"], "timeout": "5s"}}, {"name": "everyone"}]}
        if self.has_hooks:
            names = ["before_run", "after_run", "on_failure"]
            names += ["before_tenant", "after_tenant"] if self.has_tenant_hooks else []
            manifest["hooks"] = {name: {"exec": ["./around"], "timeout": "5s"} for name in names}
        (self.folder / "muster.json5").write_text(json.dumps(manifest, indent=1))

    def sql(self, name: str, text: str) -> str:
        (self.folder / "sql" / name).write_text(text)
        return f"sql/{name}"

    def add(self, name: str, promise: str, text: str, undo: str = "", **fields: object) -> None:
        self.promise[name] = promise
        self.runbooks.append({"id": name, "sql": self.sql(f"{name}.sql", text), **fields})
        self.takes_back(name, undo, is_transaction=fields.get("transaction", True) is True)

    def takes_back(self, name: str, more: str = "", is_transaction: bool = True) -> None:
        """Declares the undo of the runbook that was added last."""
        text = more + f"delete from witness where identity = '{name}';\ninsert into undone values ('{name}');\n"
        undo = {"sql": self.sql(f"{name}.down.sql", text)}
        self.undo[name] = EXACTLY_ONCE if is_transaction else AT_LEAST_ONCE
        self.runbooks[-1]["rollback"] = undo if is_transaction else {**undo, "transaction": False, "repeatable": True}

    def witness(self, name: str) -> str:
        if self.postgres:
            return f"insert into witness (identity) values ('{name}');\n"
        return f"insert into witness (identity, tenant) values ('{name}', muster_tenant());\n"

    def script(self, name: str) -> None:
        self.add(name, EXACTLY_ONCE, f"create table {name} (n integer);\n" + self.witness(name),
                 undo=f"drop table {name};\n")

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
        self.takes_back(name)

    def index(self, name: str) -> None:
        text = (f"drop index concurrently if exists {name};\n"
                f"create index concurrently {name} on orders (note, n);\n" + self.witness(name))
        self.add(name, AT_LEAST_ONCE, text, undo=f"drop index concurrently if exists {name};\n", transaction=False,
                 repeatable=True)

    def hook(self, name: str) -> None:
        self.hooks.append(name)
        self.runbooks.append({"id": name, "exec": ["./hook"], "repeatable": True, "timeout": "2s"})

    def workspace(self, name: str) -> None:
        """Runs once, a barrier on both sides."""
        self.once_for_all.append(name)
        table = "public.workspace_witness" if self.postgres else "workspace_witness"
        self.runbooks.append({"id": name, "scope": "workspace",
                              "sql": self.sql(f"{name}.sql", f"insert into {table} values ('{name}');\n"),
                              "rollback": self.sql(f"{name}.down.sql", f"delete from {table} where identity = '{name}';\n")})

    def forget(self, tenant: str, kept: set[tuple[str, str]]) -> None:
        """The tenant was put back: what had not been finished there by then is to be done again."""
        for key in [key for key in self.finished if key[0] == tenant and key not in kept]:
            del self.finished[key]

    def undoable(self) -> list[str]:
        """What of the last deploy says how it is taken back."""
        return [runbook["id"] for runbook in self.runbooks
                if "rollback" in runbook and runbook["id"].startswith(f"d{self.deploys}_")]

    def forget_undone(self, names: list[str]) -> None:
        """It is to be done again."""
        for key in [key for key in self.finished if key[1] in names]:
            del self.finished[key]

    def change_a_body(self) -> None:
        """Changes a script that is done; nothing may come of it."""
        name = self.random.choice([runbook["id"] for runbook in self.runbooks if "sql" in runbook])
        with (self.folder / "sql" / f"{name}.sql").open("a") as script:
            script.write("-- changed\n")

    # What must be there

    def violations(self) -> list[str]:
        """Everything that differs from the model once a clean runner has said that all is done."""
        found = list(self.of_ledger()) + list(self.of_cancelling()) + list(self.of_waves()) + list(self.of_hooks())
        return found + list(self.of_effects()) + self.layout.leftovers(self.ever)

    def undone(self) -> Counter: return Counter(self.layout.undone(self.ever))

    def violations_of_undo(self, names: list[str], before: Counter, is_whole: bool) -> list[str]:
        """What differs once a clean runner has said that nothing of these is done any more.

        `before` are the undos until then. With `is_whole` all of it was done, so each had something to take back; else
        the last hooks of an apply that was cancelled are for the next one."""
        found = list(self.of_ledger()) + list(self.of_cancelling()) + list(self.of_waves())
        found += self.of_hooks("" if is_whole else "and r.kind = 'rollback'")
        executions, receipts = self.executions(), self.layout.receipts(self.ever)
        effects, after = Counter(self.layout.effects(self.ever)), self.undone()
        for tenant in self.present:
            for name in (name for name in names if name in self.undo):
                key = (tenant, name)
                count = after[key] - before[key]
                if executions.get(key, ("pending",))[0] in DONE or receipts.get(key, ("", ""))[0] in DONE:
                    found.append(f"{tenant} {name} is still done: {executions.get(key)}, receipt {receipts.get(key)}")
                if effects[key]:
                    found.append(f"{tenant} {name} was not taken back: {executions.get(key)}, {effects[key]} effects")
                if count > 1 and self.undo[name] == EXACTLY_ONCE or is_whole and count == 0:
                    found.append(f"{tenant} {name} was undone {count} times: {executions.get(key)}")
        whole = Counter(self.layout.workspace_effects())
        found += [f"workspace {name} was not taken back: {executions.get(('', name))}" for name in names if whole[name]]
        return found + self.layout.leftovers(self.ever)

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
                " and a.attempt = e.attempt and a.state = e.state)"
                # Done behind the end of a run that somebody cancelled, by a runner that was killed then: the next run tells it.
                " and not exists (select 1 from {runs} r join {jobs} j on j.run_id = r.id and j.tenant = e.tenant"
                " where r.id = e.run_id and j.state = 'cancelled' and e.finished_at > r.finished_at)"):
            yield f"done, and not in the history: {row}"
        last: dict[tuple[str, str], int] = {}
        for tenant, runbook, attempt in self.layout.ask("select tenant, runbook, attempt from {attempts} order by id"):
            key, number = (tenant or "", runbook or ""), int(attempt or 0)
            if number < last.get(key, 0):
                yield f"an attempt's number fell: {key} from {last[key]} to {number}"
            last[key] = number

    def of_cancelling(self):
        """A tenant that was cancelled before it began has not begun in that run."""
        for row in self.layout.ask(
                "select j.run_id, j.tenant, j.state, j.reason, j.claimed_at, j.finished_at from {events} e"
                " join {jobs} j on j.run_id = e.run_id and j.tenant = e.tenant"
                " where e.kind = 'cancel_tenant' and e.detail = 'queued'"
                " and (j.state <> 'cancelled' or j.reason <> 'stopped' or j.claimed_at > j.finished_at)"):
            yield f"a tenant was cancelled, and went on: {row}"
        for row in self.layout.ask("select run_id, tenant, count(*) from {events} where kind = 'cancel_tenant'"
                                   " group by run_id, tenant having count(*) > 1"):
            yield f"cancelled twice: {row}"

    def of_waves(self):
        """In a run of one stage no wave begins before the one before it has ended, and its gate has let it through."""
        if not self.has_waves:
            return
        ends: dict[tuple[str, str], tuple[str, str]] = {}
        for run, wave, begin, end in self.layout.ask(
                "select j.run_id, j.wave, min(j.claimed_at), max(j.finished_at) from {jobs} j join {runs} r"
                " on r.id = j.run_id where r.stages = 1 and j.attempt > 0 and j.wave is not null group by j.run_id, j.wave"):
            ends[run or "", wave or ""] = (begin or "", end or "")
        gates = {line[2] for line in self.lines() if line[:2] == ("end", "gate")}
        for (run, wave), (begin, _) in ends.items():
            for earlier in {"early": ["canary"], "everyone": ["canary", "early"]}.get(wave, []):
                end = ends.get((run, earlier), ("", ""))[1]
                if end > begin:
                    yield f"run {run}: wave {wave} began at {begin}, wave {earlier} ended at {end}"
            if wave == "everyone" and run not in gates:
                yield f"run {run}: wave {wave} began without its gate"

    def lines(self) -> list[tuple[str, ...]]:
        """Of hooks around runs, and of gates: begin or end, which, run, tenant."""
        return [tuple(line.split(" ")) for line in (self.folder / "rounds").read_text().splitlines()]

    def of_hooks(self, only: str = ""):
        """Each hook of a run has ended well, began as often as the ledger says at most, and only where it should.

        `only` are the runs whose last hooks must be through."""
        if not self.has_hooks:
            return
        begun = Counter(line[1:] for line in self.lines() if line[0] == "begin")
        ended = Counter(line[1:] for line in self.lines() if line[0] == "end")
        rows = {(hook, run, tenant or ""): (state, int(attempt or 0)) for hook, run, tenant, state, attempt
                in self.layout.ask("select hook, run_id, tenant, state, attempt from {hooks}")}
        dropped = {row[0] for row in self.layout.ask("select run_id from {events} where kind = 'hook_dropped'")}
        for key, (state, attempt) in rows.items():
            if begun[key] > attempt:
                yield f"hook {key} began {begun[key]} times, the ledger says {attempt}"
            if state == "succeeded" and not ended[key]:
                yield f"hook {key} has ended for the ledger alone"
        for key in begun:
            if key[0] != "gate" and key not in rows:
                yield f"hook {key} began, and the ledger does not know"
        for run, outcome, is_due, worked in self.layout.ask(
                "select r.id, r.outcome, case when r.hooks_due then 1 else 0 end,"
                " (select count(*) from {jobs} j where j.run_id = r.id and j.attempt > 0)"
                f" from {{runs}} r where r.status = 'completed' {only}"):
            due = (["before_run"] if int(worked or 0) else []) + ([] if run in dropped else ["after_run"])
            due += ["on_failure"] if outcome != "succeeded" and run not in dropped else []
            for hook in due:
                if rows.get((hook, run, ""), ("none", 0))[0] != "succeeded":
                    yield f"run {run} ({outcome}) without its {hook}: {rows.get((hook, run, ''))}"
            if int(is_due or 0):
                yield f"run {run}: hooks are still due"
            if outcome == "succeeded" and begun["on_failure", run, ""]:
                yield f"on_failure for a run that succeeded: {run}"
        if self.has_tenant_hooks:
            for run, tenant in self.layout.ask(
                    "select run_id, tenant from {jobs} where state = 'succeeded' and tenant <> ''"):
                for hook in ("before_tenant", "after_tenant"):
                    if not ended[hook, run, tenant]:
                        yield f"run {run}: {tenant} succeeded without {hook}: {rows.get((hook, run, tenant))}"

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
