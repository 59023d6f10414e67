"""The programs that are compared. Each says how it makes its ledger and which command deploys a fleet."""
import json, pathlib, subprocess
from fleets import address

HERE = pathlib.Path(__file__).resolve().parent
# $0 is the tenant, $1 the folder of the migrations.
PSQL_ONE = ('cd "$1" && PGOPTIONS="-c search_path=PATH" exec psql -X -q -v ON_ERROR_STOP=1 -d DATABASE -1 '
            "-f 001_columns.sql -f 002_index.sql -f 003_backfill.sql")


def migrations(fleet):
    return HERE / "migrations" / fleet.dialect


class Floor:
    def __init__(self, folder, each="migration", connections=8):
        self.folder, self.each, self.connections = folder, each, connections
        self.name = f"floor, a transaction per {each}"

    def template(self, fleet):
        fleet.prepare("floor", [])
        return "floor"

    def deploy(self, fleet):
        if fleet.dialect == "sqlite":
            return [self.folder / "floor_sqlite", self.connections, self.each, migrations(fleet), fleet.list], {}
        database = {"PGDATABASE": getattr(fleet, "database", "postgres")}
        return [self.folder / "floor_postgres", self.connections, fleet.layout, self.each, migrations(fleet), fleet.list], database


class Muster:
    def __init__(self, program, folder, fuse=False):
        self.program, self.folder, self.fuse = program, folder, fuse
        self.name = "muster, fuse" if fuse else "muster"

    def knows(self, fleet):
        """Whether this build takes the manifest: a feature may not be there yet."""
        path = self.manifest(fleet, full=True)
        return subprocess.run([self.program, "validate", "-f", path], capture_output=True).returncode == 0

    def manifest(self, fleet, full):
        if fleet.kind == "files":
            ledger = f"sqlite:{fleet.place}/ledger"
            tenants = {"files": f"{fleet.place}/*.db"}
        else:
            ledger = address("bench")
            tenants = {"list": [{"id": t, "url": address(t)} for t in fleet.tenants]}
        if fleet.kind == "schemas":
            tenants = {"query": "select name as id, name as schema from public.tenants",
                       "target": {"url": ledger, "schema": "{schema}"}}
        base = self.folder / "000_base.sql"
        base.write_text("SELECT 1;\n")
        files = [base] + (sorted(migrations(fleet).glob("*.sql")) if full else [])
        manifest = {"manifest": 1, "ledger": {"url": ledger}, "tenants": tenants,
                    "runbooks": [{"id": f"m{file.name[:3]}", "sql": str(file)} for file in files]}
        if self.fuse:
            manifest["defaults"] = {"fuse": True}
        path = self.folder / f"{fleet.kind}-{'full' if full else 'base'}{'-fuse' if self.fuse else ''}.json"
        path.write_text(json.dumps(manifest))
        return path

    def template(self, fleet):
        fleet.prepare("muster", [([self.program, "apply", "--quiet", "-f", self.manifest(fleet, full=False)], {})])
        return "muster"

    def deploy(self, fleet):
        return [self.program, "apply", "--quiet", "-f", self.manifest(fleet, full=True)], {}


class Psql:
    """What is done by hand: one process for each tenant, four at a time. It keeps no ledger and has no no-op."""
    name = "psql, xargs -P 4"

    def template(self, fleet):
        return "floor"

    def deploy(self, fleet):
        database, path = ("$0", "public") if fleet.kind == "databases" else ("bench", "$0")
        script = PSQL_ONE.replace("DATABASE", database).replace("PATH", path)
        return ["sh", "-c", f"xargs -P 4 -I{{}} sh -c '{script}' {{}} '{migrations(fleet)}' <'{fleet.list}'"], {}


class SQLiteShell:
    name = "sqlite3, xargs -P 4"

    def template(self, fleet):
        return "floor"

    def deploy(self, fleet):
        whole = fleet.folder / "whole.sql"
        texts = [file.read_text() for file in sorted(migrations(fleet).glob("*.sql"))]
        whole.write_text("BEGIN;\n" + "".join(texts) + "COMMIT;\n")
        return ["sh", "-c", f"xargs -P 4 -I{{}} sh -c 'sqlite3 -bail \"$0\" <{whole}' {{}} <'{fleet.list}'"], {}


class Dbmate:
    name = "dbmate, xargs -P 4"

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def _folder(self, fleet):
        place = self.folder / f"dbmate-{fleet.dialect}"
        place.mkdir(exist_ok=True)
        for file in migrations(fleet).glob("*.sql"):
            (place / f"20200101000{file.name}").write_text("-- migrate:up\n" + file.read_text())
        return place

    def template(self, fleet):
        return "floor"

    def deploy(self, fleet):
        url = {"schemas": address("bench") + "&search_path=$0", "databases": address("$0"), "files": "sqlite:$0"}[fleet.kind]
        if fleet.dialect == "postgres":
            url += "&sslmode=disable"
        command = (f'{self.program} --no-dump-schema --migrations-dir {self._folder(fleet)} --url "{url}" '
                   "--migrations-table floor_dbmate migrate >/dev/null")
        return ["sh", "-c", f"xargs -P 4 -I{{}} sh -c '{command}' {{}} <'{fleet.list}'"], {}
