"""Fleets of tenants to be migrated: made once, copied before each deploy, looked at after it."""
import os, pathlib, shutil, sqlite3, subprocess

ROWS = 20
FINDINGS = ("id integer PRIMARY KEY, state text NOT NULL, found_at timestamptz NOT NULL DEFAULT '2020-01-01'")


def psql(database, *statements):
    """Runs statements one by one; answers the last one's rows as text."""
    words = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database]
    for statement in statements:
        words += ["-c", statement]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() + "\n" + statements[0][:200])
    return done.stdout.strip()


# Where the tools find the server: its own folder, or that of a link in front of it.
host = os.environ["PGHOST"]


def address(database):
    return f"postgres://{os.environ['PGUSER']}@/{database}?host={host}&port={os.environ['PGPORT']}"


def settle():
    """Leaves nothing of the preparation to be written while a tool is timed."""
    psql("postgres", "CHECKPOINT")
    os.sync()


def rows(schema):
    return (f"CREATE TABLE {schema}.findings ({FINDINGS})",
            f"INSERT INTO {schema}.findings (id, state) SELECT i, CASE mod(i, 2) WHEN 0 THEN 'open' ELSE 'closed' END "
            f"FROM generate_series(1, {ROWS}) i")


class Schemas:
    """Tenants are the schemas of one database."""
    kind, database, layout, dialect = "schemas", "bench", "schema", "postgres"

    def __init__(self, folder, count):
        self.folder, self.count = pathlib.Path(folder), count
        self.tenants = [f"t_{i:06d}" for i in range(1, count + 1)]
        (self.folder / "schemas").write_text("\n".join(self.tenants) + "\n")
        self.list = self.folder / "schemas"
        self.templates, self.used = {}, []
        create, fill = (text.replace("'", "''") for text in rows("%I"))
        psql("postgres", "CREATE DATABASE base_schemas")
        psql("base_schemas", "CREATE SCHEMA floor", "CREATE TABLE floor.done (tenant text, name text, PRIMARY KEY (tenant, name))",
             "CREATE TABLE public.tenants (name text PRIMARY KEY)")
        for first in range(0, count, 1000):
            psql("base_schemas", f"""DO $$ DECLARE t text; BEGIN
                FOR i IN {first + 1}..{min(first + 1000, count)} LOOP
                    t := 't_' || lpad(i::text, 6, '0');
                    EXECUTE format('CREATE SCHEMA %I', t);
                    EXECUTE format('{create}', t);
                    EXECUTE format('{fill}', t);
                    INSERT INTO public.tenants VALUES (t);
                END LOOP; END $$""")

    def prepare(self, name, commands):
        """A copy in which a tool has made its ledger."""
        if name in self.templates:
            return
        self.templates[name] = f"base_{name}"
        psql("postgres", f"CREATE DATABASE {self.database} TEMPLATE base_schemas")
        for argv, env in commands:
            subprocess.run([str(word) for word in argv], env={**os.environ, **env}, check=True, capture_output=True)
        psql("postgres", f"ALTER DATABASE {self.database} RENAME TO {self.templates[name]}")

    def reset(self, name):
        """A fresh copy; the one before stays until the end. Where ext4 has no journal, a file that is made passes over each
        inode that was freed in the last minute (Linux, fs/ext4/ialloc.c): a tool would pay for thousands of dropped files."""
        if psql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{self.database}'"):
            self.used.append(f"used_{len(self.used)}")
            psql("postgres", f"ALTER DATABASE {self.database} RENAME TO {self.used[-1]}")
        psql("postgres", f"CREATE DATABASE {self.database} TEMPLATE {self.templates[name]}")
        settle()

    def problem(self):
        wrong = psql(self.database, """
            CREATE TEMP TABLE seen (tenant text, n bigint)""", """
            DO $$ DECLARE t text; BEGIN FOR t IN SELECT name FROM public.tenants LOOP
                EXECUTE format('INSERT INTO seen SELECT %L, count(*) FROM %I.findings WHERE first_seen_at = found_at
                    AND lifecycle = CASE state WHEN ''open'' THEN ''active'' ELSE ''resolved'' END', t, t);
            END LOOP; END $$""", f"""
            SELECT count(*) FROM seen WHERE n <> {ROWS} OR NOT EXISTS (
                SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace s ON s.oid = c.relnamespace
                WHERE s.nspname = seen.tenant AND c.relname = 'findings_lifecycle' AND i.indisvalid)""")
        return None if wrong == "0" else f"{wrong} tenants are wrong"

    def remove(self):
        for database in [self.database, *self.used, *self.templates.values(), "base_schemas"]:
            psql("postgres", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


class Databases:
    """Each tenant is a database."""
    kind, layout, dialect = "databases", "database", "postgres"

    def __init__(self, folder, count):
        self.folder, self.count = pathlib.Path(folder), count
        self.tenants = [f"d_{i:04d}" for i in range(1, count + 1)]
        self.list = self.folder / "databases"
        self.list.write_text("\n".join(self.tenants) + "\n")
        self.templates = []
        psql("postgres", "CREATE DATABASE base_databases")
        psql("base_databases", "CREATE SCHEMA floor", "CREATE TABLE floor.done (tenant text, name text, PRIMARY KEY (tenant, name))",
             *rows("public"))

    def prepare(self, name, commands):
        """A ledger, and one tenant in which a tool has made what it needs there; the others become copies of it."""
        if name in self.templates:
            return
        self.templates.append(name)
        psql("postgres", *[f"CREATE DATABASE {tenant} TEMPLATE base_databases" for tenant in self.tenants],
             "CREATE DATABASE bench")
        for argv, env in commands:
            subprocess.run([str(word) for word in argv], env={**os.environ, **env}, check=True, capture_output=True)
        psql("postgres", f"ALTER DATABASE {self.tenants[0]} RENAME TO base_tenant_{name}",
             f"ALTER DATABASE bench RENAME TO base_ledger_{name}")
        self.remove_tenants()

    def reset(self, name):
        self.remove_tenants()
        psql("postgres", *[f"CREATE DATABASE {tenant} TEMPLATE base_tenant_{name}" for tenant in self.tenants],
             f"CREATE DATABASE bench TEMPLATE base_ledger_{name}")
        if name == "muster":
            for tenant in self.tenants:
                psql(tenant, f"UPDATE muster.receipts SET tenant = '{tenant}'")
        settle()

    def problem(self):
        query = (f"SELECT count(*) FROM findings WHERE first_seen_at = found_at AND lifecycle = CASE state "
                 f"WHEN 'open' THEN 'active' ELSE 'resolved' END AND to_regclass('findings_lifecycle') IS NOT NULL")
        wrong = sum(psql(tenant, query) != str(ROWS) for tenant in self.tenants)
        return f"{wrong} tenants are wrong" if wrong else None

    def remove_tenants(self):
        psql("postgres", *[f"DROP DATABASE IF EXISTS {tenant} WITH (FORCE)" for tenant in [*self.tenants, "bench"]])

    def remove(self):
        self.remove_tenants()
        psql("postgres", "DROP DATABASE base_databases", *[
            f"DROP DATABASE base_{kind}_{name}" for kind in ("tenant", "ledger") for name in self.templates])


class Files:
    """Each tenant is a SQLite file."""
    kind, layout, dialect = "files", "file", "sqlite"

    def __init__(self, folder, count):
        self.folder, self.count = pathlib.Path(folder), count
        self.place = self.folder / "files"
        self.tenants = [str(self.place / f"f_{i:05d}.db") for i in range(1, count + 1)]
        self.list = self.folder / "files.list"
        self.list.write_text("\n".join(self.tenants) + "\n")
        self.base = self.folder / "base.db"
        database = sqlite3.connect(self.base)
        database.execute("CREATE TABLE findings (id INTEGER PRIMARY KEY, state TEXT NOT NULL, found_at TEXT NOT NULL)")
        database.executemany("INSERT INTO findings VALUES (?, ?, '2020-01-01')",
                             [(i, "open" if i % 2 == 0 else "closed") for i in range(1, ROWS + 1)])
        database.execute("CREATE TABLE floor_done (name TEXT PRIMARY KEY)")
        database.commit()
        database.close()

    def prepare(self, name, commands):
        """A folder of files in which a tool has made its ledger, as after earlier deploys."""
        template = self.folder / f"files-{name}"
        if template.exists():
            return
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        for tenant in self.tenants:
            shutil.copyfile(self.base, tenant)
        for argv, env in commands:
            subprocess.run([str(word) for word in argv], env={**os.environ, **env}, check=True, capture_output=True)
        self.place.rename(template)

    def reset(self, name):
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.folder / f"files-{name}", self.place)
        os.sync()

    def problem(self):
        wrong = 0
        for tenant in self.tenants:
            database = sqlite3.connect(tenant)
            try:
                found = database.execute(
                    "SELECT count(*) FROM findings INDEXED BY findings_lifecycle WHERE first_seen_at = found_at "
                    "AND lifecycle IN ('active', 'resolved')").fetchone()[0]
            except sqlite3.Error:
                found = 0
            wrong += found != ROWS
            database.close()
        return f"{wrong} tenants are wrong" if wrong else None

    def remove(self):
        for place in [self.place, *self.folder.glob("files-*")]:
            shutil.rmtree(place, ignore_errors=True)
