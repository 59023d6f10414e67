"""Where the tenants of a fleet live: how they are made, changed and looked at."""

import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Iterator

Row = tuple[str | None, ...]


class Server:
    """The throwaway cluster that ci/with-postgres started; it can be killed and started again."""

    def __init__(self) -> None:
        self.socket = Path(os.environ["PGHOST"])
        self.port = os.environ["PGPORT"]
        pid = self.pid()
        self.program = os.readlink(f"/proc/{pid}/exe")
        self.arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        self.user = os.stat(f"/proc/{pid}").st_uid
        self.group = os.stat(f"/proc/{pid}").st_gid
        self.own: subprocess.Popen[bytes] | None = None
        self.psql = str(Path(self.program).parent / "psql")
        # What was answered must be there after an immediate shutdown.
        self.ask("postgres", "alter system set synchronous_commit = on")
        self.ask("postgres", "alter system set max_connections = 300")
        self.ask("postgres", "select pg_reload_conf()")

    def pid(self) -> int:
        return int((self.socket / "data/postmaster.pid").read_text().split("\n")[0])

    def restart(self) -> None:
        """Ends the server at once, as a crash would, and starts it again."""
        pid = self.pid()
        os.kill(pid, signal.SIGQUIT)
        if self.own:
            self.own.wait(30)
        while os.path.exists(f"/proc/{pid}") and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
            time.sleep(0.01)
        self.start()

    def start(self) -> None:
        def drop_rights() -> None:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(self.group)
                os.setuid(self.user)

        log = (self.socket / "log").open("ab")
        self.own = subprocess.Popen(
            ["setpriv", "--pdeathsig=QUIT", self.program, *self.arguments[1:]], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, cwd=self.socket, preexec_fn=drop_rights, start_new_session=True)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("postgres", "select 1")
                return
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        if self.own and self.own.poll() is None:
            self.own.send_signal(signal.SIGQUIT)
            self.own.wait(30)

    def ask(self, database: str, sql: str) -> list[Row]:
        answer = subprocess.run(
            [self.psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-P", "null=\x1e", "-d", database],
            input=sql, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise subprocess.CalledProcessError(answer.returncode, sql[:200], answer.stdout, answer.stderr)
        return [tuple(None if cell == "\x1e" else cell for cell in line.split("\x1f"))
                for line in answer.stdout.splitlines()]


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

    def effects(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        """(tenant, identity), once for each effect that is there."""
        raise NotImplementedError

    def receipts(self, tenants: list[str]) -> dict[tuple[str, str], tuple[str, int]] | None:
        """State and attempt by (tenant, identity); None where the ledger's rows are the receipts."""
        return None

    def workspace_effects(self) -> list[str]: raise NotImplementedError

    def leftovers(self, tenants: list[str]) -> list[str]:
        """Invalid indexes, locks that nobody should hold."""
        return []

    def settle_down(self) -> None:
        """Waits for what dead runners have left at work."""

    def remove(self) -> None: pass


class Postgres(Layout):
    server: Server

    @property
    def database(self) -> str: return f"chaos{self.serial}"

    def ledger(self) -> str: return f"postgres:///{self.database}"

    def ask(self, sql: str) -> list[Row]:
        return self.server.ask(self.database, sql.replace("{", "muster.").replace("}", ""))

    def make(self) -> None:
        self.server.ask("postgres", f"create database {self.database} template template0")
        self.server.ask(self.database, "create table public.workspace_witness (identity text not null)")

    def workspace_effects(self) -> list[str]:
        return [row[0] or "" for row in self.ask("select identity from public.workspace_witness")]

    def settle_down(self) -> None: self.locks()

    def locks(self) -> list[str]:
        """Advisory locks that are still held after a while, with nobody at work."""
        for _ in range(100):
            held = self.server.ask(
                "postgres", "select database, classid, objid, pid from pg_locks where locktype = 'advisory'")
            if not held:
                return []
            time.sleep(0.1)
        return [f"advisory lock left: {row}" for row in held]

    WITNESS = """
        create table {0}.witness (identity text not null, tenant text not null default {1}, n serial);
        create table {0}.orders (n integer, note text);
        insert into {0}.orders select g, 'x' from generate_series(1, 200) g;
        """
    INVALID = "select c.oid::regclass from pg_index i join pg_class c on c.oid = i.indexrelid where not i.indisvalid"

    def disturb(self, random) -> bool:
        """Ends a random backend of a runner."""
        rows = self.server.ask(
            "postgres", "select pid from pg_stat_activity where application_name like 'muster/%'")
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

    def receipts(self, tenants: list[str]) -> dict[tuple[str, str], tuple[str, int]]:
        found = {}
        for tenant in tenants:
            if self.server.ask(self.place(tenant), "select to_regclass('muster.receipts') is null") == [("t",)]:
                continue
            for runbook, state, attempt in self.server.ask(
                    self.place(tenant), "select runbook, state, attempt from muster.receipts"):
                found[tenant, runbook or ""] = (state or "", int(attempt or 0))
        return found

    def leftovers(self, tenants: list[str]) -> list[str]:
        invalid = [f"invalid index {tenant} {row[0]}" for tenant in tenants
                   for row in self.server.ask(self.place(tenant), self.INVALID)]
        return invalid + self.locks()

    def remove(self) -> None:
        names = self.server.ask("postgres", f"select datname from pg_database where datname like '{self.database}\\_%'")
        for (name,) in names + [(self.database,)]:
            self.server.ask("postgres", f"drop database {name} with (force)")


class SQLite(Layout):
    name = "sqlite"
    has_server = False

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
                               "create table orders (n integer, note text);")
            file.close()

    def tenants(self, present: list[str]) -> dict[str, object]:
        return {"list": present, "target": {"url": "sqlite:tenants/{id}.db"}}

    def ledger(self) -> str: return "sqlite:ledger.db"

    def ask(self, sql: str) -> list[Row]:
        return self.rows(self.folder / "ledger.db", sql.replace("{", "muster_").replace("}", ""))

    def effects(self, tenants: list[str]) -> Iterator[tuple[str, str]]:
        for tenant in tenants:
            for identity, seen in self.rows(self.file(tenant), "select identity, tenant from witness"):
                yield (tenant if seen in (tenant, None) else f"{seen} in {tenant}"), identity or ""

    def receipts(self, tenants: list[str]) -> dict[tuple[str, str], tuple[str, int]]:
        found = {}
        for tenant in tenants:
            if self.rows(self.file(tenant), "select 1 from sqlite_schema where name = 'muster_receipts'"):
                for runbook, state, attempt in self.rows(
                        self.file(tenant), "select runbook, state, attempt from muster_receipts"):
                    found[tenant, runbook or ""] = (state or "", int(attempt or 0))
        return found

    def workspace_effects(self) -> list[str]:
        return [row[0] or "" for row in self.ask("select identity from workspace_witness")]

    def leftovers(self, tenants: list[str]) -> list[str]:
        paths = [self.folder / "ledger.db"] + [self.file(tenant) for tenant in tenants]
        return [f"{path.name}: {answer}" for path in paths for answer in self.rows(path, "pragma integrity_check")
                if answer != ("ok",)]


LAYOUTS = {layout.name: layout for layout in (SQLite, Schemas, Databases)}
