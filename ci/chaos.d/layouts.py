"""Where the tenants of a fleet live: how they are made, changed and looked at."""

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import libpq
from libpq import Row


class Server:
    """The throwaway cluster that ci/with-postgres started; it can be killed and started again, under everybody at work.

    The harness's own questions wait for that, and it for them: they are no part of the experiment.
    """

    def __init__(self) -> None:
        self.change, self.asking, self.is_down = threading.Condition(), 0, False
        self.crashes = 0
        # The server gets a signal when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG).
        self.keeper = ThreadPoolExecutor(1)
        self.socket = Path(os.environ["PGHOST"])
        self.port = os.environ["PGPORT"]
        pid = self.pid()
        self.program = os.readlink(f"/proc/{pid}/exe")
        self.arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        self.user = os.stat(f"/proc/{pid}").st_uid
        self.group = os.stat(f"/proc/{pid}").st_gid
        self.own: subprocess.Popen[bytes] | None = None
        # What was answered must be there after an immediate shutdown.
        self.ask("postgres", "alter system set synchronous_commit = on")
        self.ask("postgres", "alter system set max_connections = 500")
        self.restart()

    def pid(self) -> int:
        return int((self.socket / "data/postmaster.pid").read_text().split("\n")[0])

    def restart(self) -> None:
        """Ends the server at once, as a crash would, and starts it again."""
        with self.change:
            self.change.wait_for(lambda: not self.is_down)
            self.is_down = True
            self.crashes += 1
            self.change.wait_for(lambda: not self.asking)
        try:
            self.keeper.submit(self.crash).result()
        finally:
            with self.change:
                self.is_down = False
                self.change.notify_all()

    def await_up(self) -> int:
        """Waits for a restart to end; returns how many crashes there were."""
        with self.change:
            self.change.wait_for(lambda: not self.is_down)
            return self.crashes

    @contextmanager
    def up(self) -> Iterator[None]:
        with self.change:
            self.change.wait_for(lambda: not self.is_down)
            self.asking += 1
        try:
            yield
        finally:
            with self.change:
                self.asking -= 1
                self.change.notify_all()

    def crash(self) -> None:
        pid = self.pid()
        os.kill(pid, signal.SIGQUIT)
        if self.own:
            self.own.wait(30)
        while self.is_running(pid):
            time.sleep(0.01)
        self.start()

    @staticmethod
    def is_running(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def start(self) -> None:
        rights = {"user": self.user, "group": self.group, "extra_groups": []} if os.geteuid() == 0 else {}
        with (self.socket / "log").open("ab") as log:
            self.own = subprocess.Popen(
                ["setpriv", "--pdeathsig=QUIT", self.program, *self.arguments[1:]], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.socket, start_new_session=True, **rights)
        deadline = time.monotonic() + 60
        while True:
            try:
                libpq.ask("postgres", "select 1")
                return
            except libpq.Failure:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def stop(self) -> None:
        if self.own and self.own.poll() is None:
            self.own.send_signal(signal.SIGQUIT)
            self.own.wait(30)
        self.keeper.shutdown()

    def ask(self, database: str, sql: str) -> list[Row]:
        with self.up():
            return libpq.ask(database, sql)


class Layout:
    """A fleet's tenants. `serial` keeps fleets apart; `folder` holds everything that is a file."""

    name = ""
    has_server = True

    def __init__(self, folder: Path, serial: int, server: Server | None) -> None:
        self.folder, self.serial, self.server = folder, serial, server

    def add(self, tenants: list[str]) -> None: raise NotImplementedError

    def tenants(self, present: list[str]) -> dict[str, object]: raise NotImplementedError

    def ledger(self) -> str: raise NotImplementedError

    def ask(self, sql: str) -> list[Row]:
        """Asks the ledger; `{name}` stands for one of its tables."""
        raise NotImplementedError

    def tables(self, name: str) -> list[Row]:
        """Whether the ledger has that table."""
        raise NotImplementedError

    def effects(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        """(tenant, identity), once for each effect that is there."""
        raise NotImplementedError

    def undone(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        """(tenant, identity), once for each undo that has happened."""
        raise NotImplementedError

    def receipts(self, tenants: list[str]) -> dict[tuple[str, str], tuple[str, str]]:
        """State and run by (tenant, identity); in the ledger's own database its records are the receipts."""
        return {(tenant or "", runbook or ""): (state or "", run or "") for tenant, runbook, state, run
                in self.ask("select tenant, runbook, state, run_id from {known} where tenant <> ''")}

    def workspace_effects(self) -> list[str]: raise NotImplementedError

    def leftovers(self, tenants: list[str]) -> list[str]:
        """Invalid indexes, locks that nobody should hold."""
        return []

    def settle_down(self) -> None:
        """Waits for what dead runners have left at work."""

    def has_backend(self, runner: str) -> bool:
        """Whether a server still works for a runner."""
        return False

    def back_up(self, tenant: str) -> None:
        """Keeps a copy of a tenant that nobody works on."""
        raise NotImplementedError

    def restore(self, tenant: str) -> None:
        """Puts the copy in the tenant's place."""
        raise NotImplementedError

    def rename_receipts(self, tenant: str) -> None:
        """Lets a tenant's receipts stand under another name, as in one that was renamed."""
        raise NotImplementedError

    def remove(self) -> None: pass


class Postgres(Layout):
    server: Server

    @property
    def database(self) -> str: return f"chaos{self.serial}"

    def ledger(self) -> str: return f"postgres:///{self.database}"

    def ask(self, sql: str) -> list[Row]:
        return self.server.ask(self.database, sql.replace("{", "muster.").replace("}", ""))

    def tables(self, name: str) -> list[Row]:
        return self.ask(f"select from pg_tables where schemaname = 'muster' and tablename = '{name}'")

    def make(self) -> None:
        self.server.ask("postgres", f"create database {self.database} template template0")
        self.server.ask(self.database, "create table public.workspace_witness (identity text not null)")

    def workspace_effects(self) -> list[str]:
        return [row[0] or "" for row in self.ask("select identity from public.workspace_witness")]

    def settle_down(self) -> None: self.locks()

    def has_backend(self, runner: str) -> bool:
        return bool(self.server.ask(
            "postgres", f"select from pg_stat_activity where application_name = 'muster/{runner}'"))

    def locks(self) -> list[str]:
        """Advisory locks that are still held after a while, with nobody at work."""
        for _ in range(100):
            held = self.server.ask(
                "postgres", "select d.datname, classid, objid, pid from pg_locks join pg_database d on d.oid = database"
                f" where locktype = 'advisory' and {self.OURS.format(self.database)}")
            if not held:
                return []
            time.sleep(0.1)
        return [f"advisory lock left: {row}" for row in held]

    WITNESS = """
        create table {0}.witness (identity text not null, tenant text not null default {1}, n serial);
        create table {0}.undone (identity text not null);
        create table {0}.orders (n integer, note text);
        insert into {0}.orders select g, 'x' from generate_series(1, 200) g;
        """
    # The databases of one fleet.
    OURS = "(d.datname = '{0}' or d.datname like '{0}\\_%')"
    INVALID = "select c.oid::regclass from pg_index i join pg_class c on c.oid = i.indexrelid where not i.indisvalid"

    def disturb(self, random) -> bool:
        """Ends a random backend of a runner."""
        rows = self.server.ask(
            "postgres", "select pid from pg_stat_activity d where application_name like 'muster/%'"
            f" and {self.OURS.format(self.database)}")
        if not rows:
            return False
        pid = random.choice(rows)[0]
        return self.server.ask("postgres", f"select pg_terminate_backend({pid})")[0][0] == "t"


class Schemas(Postgres):
    name = "schemas"

    def add(self, tenants: list[str]) -> None:
        self.server.ask(self.database, "".join(
            f"create schema {tenant};" + self.WITNESS.format(tenant, "current_schema()") for tenant in tenants))

    def tenants(self, present: list[str]) -> dict[str, object]:
        return {"list": present, "target": {"url": self.ledger(), "schema": "{id}"}}

    def effects(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        union = " union all ".join(f"select '{t}', identity, tenant from {t}.witness" for t in tenants)
        for tenant, identity, seen in self.ask(union):
            yield (tenant or "", identity or "") if tenant == seen else (f"{seen} in {tenant}", identity or "")

    def undone(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        for tenant, identity in self.ask(" union all ".join(f"select '{t}', identity from {t}.undone" for t in tenants)):
            yield tenant or "", identity or ""

    def leftovers(self, tenants: list[str]) -> list[str]:
        return [f"invalid index {row[0]}" for row in self.ask(self.INVALID)] + self.locks()

    def remove(self) -> None:
        self.server.ask("postgres", f"drop database {self.database} with (force)")


class Databases(Postgres):
    name = "databases"

    def place(self, tenant: str) -> str: return f"{self.database}_{tenant}"

    def add(self, tenants: list[str]) -> None:
        for tenant in tenants:
            self.server.ask("postgres", f"create database {self.place(tenant)} template template0")
            self.server.ask(self.place(tenant), self.WITNESS.format("public", "current_database()"))

    def tenants(self, present: list[str]) -> dict[str, object]:
        return {"list": present, "target": {"url": f"postgres:///{self.database}_{{id}}"}}

    def effects(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        for tenant in tenants:
            for identity, seen in self.server.ask(self.place(tenant), "select identity, tenant from public.witness"):
                yield (tenant if seen == self.place(tenant) else f"{seen} in {tenant}"), identity or ""

    def undone(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        for tenant in tenants:
            for (identity,) in self.server.ask(self.place(tenant), "select identity from public.undone"):
                yield tenant, identity or ""

    def receipts(self, tenants: list[str]) -> dict[tuple[str, str], tuple[str, str]]:
        found = {}
        for tenant in tenants:
            if self.server.ask(self.place(tenant), "select to_regclass('muster.receipts') is null") == [("t",)]:
                continue
            for runbook, state, run in self.server.ask(
                    self.place(tenant), "select runbook, state, run_id from muster.receipts"):
                found[tenant, runbook or ""] = (state or "", run or "")
        return found

    def leftovers(self, tenants: list[str]) -> list[str]:
        invalid = [f"invalid index {tenant} {row[0]}" for tenant in tenants
                   for row in self.server.ask(self.place(tenant), self.INVALID)]
        return invalid + self.locks()

    def back_up(self, tenant: str) -> None:
        deadline = time.monotonic() + 30
        while True:
            # A dead runner's backend may be there for a moment, and a copy wants to be alone.
            try:
                self.server.ask("postgres", f"create database {self.place(tenant)}_copy template {self.place(tenant)}")
                return
            except libpq.Failure:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def restore(self, tenant: str) -> None:
        self.server.ask("postgres", f"drop database {self.place(tenant)} with (force)")
        self.server.ask("postgres", f"alter database {self.place(tenant)}_copy rename to {self.place(tenant)}")

    def rename_receipts(self, tenant: str) -> None:
        self.server.ask(self.place(tenant), "update muster.receipts set tenant = 'before'")

    def remove(self) -> None:
        for (name,) in self.server.ask(
                "postgres", f"select datname from pg_database d where {self.OURS.format(self.database)}"):
            self.server.ask("postgres", f"drop database {name} with (force)")


class SQLite(Layout):
    name = "sqlite"
    has_server = False

    def tables(self, name: str) -> list[Row]:
        return self.ask(f"select 1 from sqlite_schema where name = 'muster_{name}'")

    def make(self) -> None:
        (self.folder / "tenants").mkdir()
        with self.open(self.folder / "ledger.db") as file:
            file.execute("create table workspace_witness (identity text not null)")

    @staticmethod
    def open(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=30, isolation_level=None)

    def rows(self, path: Path, sql: str) -> list[Row]:
        file = self.open(path)
        try:
            return [tuple(None if cell is None else str(cell) for cell in row) for row in file.execute(sql)]
        finally:
            file.close()

    def file(self, tenant: str) -> Path: return self.folder / "tenants" / f"{tenant}.db"

    def add(self, tenants: list[str]) -> None:
        for tenant in tenants:
            file = self.open(self.file(tenant))
            file.executescript("create table witness (n integer primary key, identity text not null, tenant text);"
                               "create table undone (identity text not null);"
                               "create table orders (n integer, note text);")
            file.close()

    def back_up(self, tenant: str) -> None:
        with closing(self.open(self.file(tenant))) as file:
            file.execute("vacuum into ?", [str(self.folder / "copy.db")])

    def restore(self, tenant: str) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{self.file(tenant)}{end}").unlink(missing_ok=True)
        shutil.move(self.folder / "copy.db", self.file(tenant))

    def rename_receipts(self, tenant: str) -> None:
        with closing(self.open(self.file(tenant))) as file:
            file.execute("update muster_receipts set tenant = 'before'")

    def tenants(self, present: list[str]) -> dict[str, object]:
        return {"list": present, "target": {"url": "sqlite:tenants/{id}.db"}}

    def ledger(self) -> str: return "sqlite:ledger.db"

    def ask(self, sql: str) -> list[Row]:
        return self.rows(self.folder / "ledger.db", sql.replace("{", "muster_").replace("}", ""))

    def effects(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        for tenant in tenants:
            for identity, seen in self.rows(self.file(tenant), "select identity, tenant from witness"):
                yield (tenant if seen in (tenant, None) else f"{seen} in {tenant}"), identity or ""

    def undone(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        for tenant in tenants:
            for (identity,) in self.rows(self.file(tenant), "select identity from undone"):
                yield tenant, identity or ""

    def receipts(self, tenants: list[str]) -> dict[tuple[str, str], tuple[str, str]]:
        found = {}
        for tenant in tenants:
            if self.rows(self.file(tenant), "select 1 from sqlite_schema where name = 'muster_receipts'"):
                for runbook, state, run in self.rows(
                        self.file(tenant), "select runbook, state, run_id from muster_receipts"):
                    found[tenant, runbook or ""] = (state or "", run or "")
        return found

    def workspace_effects(self) -> list[str]:
        return [row[0] or "" for row in self.ask("select identity from workspace_witness")]

    def leftovers(self, tenants: list[str]) -> list[str]:
        paths = [self.folder / "ledger.db"] + [self.file(tenant) for tenant in tenants]
        return [f"{path.name}: {answer}" for path in paths for answer in self.rows(path, "pragma integrity_check")
                if answer != ("ok",)]


LAYOUTS = {layout.name: layout for layout in (SQLite, Schemas, Databases)}
