"""Backfills in batches: against psql by hand with the same batch size, killed on the way, and by an adaptive size."""
import json, os, signal, subprocess, time
import fleets
from measure import Table, run

WORKERS = 8
SIZE = 1000
# Of the adaptive one: it begins far below what its target allows, so that it has some way to go behind its first ten.
BEGINNING = 100
TARGET = 250
# Each batch adds 1 to a counter column, so that a row that was lost or worked on twice shows.
PAGE = "WITH page AS (SELECT id FROM items WHERE id > {cursor} ORDER BY id LIMIT {limit})"
WORK = "done AS (UPDATE items SET touched = touched + 1 FROM page WHERE items.id = page.id RETURNING 1)"
ANSWER = "SELECT max(id) AS cursor, count(*) AS rows FROM page"
# Notes how long the transaction has been open when the rows are done.
HELD = "held AS (INSERT INTO held SELECT clock_timestamp() - transaction_timestamp() FROM (SELECT count(*) FROM done) d)"


class Tenants:
    def __init__(self, folder, tenants, rows):
        self.folder, self.tenants, self.rows = folder, tenants, rows
        self.schemas = [f"t{number:04d}" for number in range(1, tenants + 1)]
        fleets.psql("postgres", "CREATE DATABASE base_batches")
        fleets.psql("base_batches", f"""DO $$ DECLARE t text; BEGIN FOR i IN 1..{tenants} LOOP
            t := 't' || to_char(i, 'FM0000');
            EXECUTE format('CREATE SCHEMA %I', t);
            EXECUTE format('CREATE TABLE %I.items (id bigint PRIMARY KEY, body text NOT NULL, touched int NOT NULL DEFAULT 0)', t);
            EXECUTE format('INSERT INTO %I.items (id, body) SELECT n, md5(n::text) FROM generate_series(1, {rows}) n', t);
            EXECUTE format('CREATE TABLE %I.held (held interval, n bigserial)', t);
            END LOOP; END $$""", "VACUUM ANALYZE")

    def reset(self):
        fleets.psql("postgres", "DROP DATABASE IF EXISTS bench WITH (FORCE)", "CREATE DATABASE bench TEMPLATE base_batches")
        fleets.settle()

    def problem(self):
        union = " UNION ALL ".join(f"SELECT touched FROM {schema}.items" for schema in self.schemas)
        found = fleets.psql("bench", f"SELECT touched, count(*) FROM ({union}) x GROUP BY 1 ORDER BY 1")
        wanted = f"1|{self.tenants * self.rows}"
        return None if found == wanted else f"rows by how often they were worked on: {found}"

    def held(self):
        """The longest that a batch held, in milliseconds, and how many there were; the first ten of each tenant apart."""
        union = " UNION ALL ".join(
            f"SELECT held, row_number() OVER (ORDER BY n) AS n FROM {schema}.held" for schema in self.schemas)
        row = fleets.psql("bench", f"""SELECT count(*), coalesce(max(extract(epoch FROM held) * 1000) FILTER (WHERE n > 10), 0),
            coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM held) * 1000) FILTER (WHERE n > 10), 0)
            FROM ({union}) x""")
        count, longest, middle = row.split("|")
        return int(count), float(longest), float(middle)


class Muster:
    def __init__(self, program, folder, name, batch, notes=False):
        self.program, self.folder, self.name = program, folder, name
        steps = [PAGE.format(cursor="coalesce(:cursor::bigint, 0)", limit=":limit"), WORK] + ([HELD] if notes else [])
        script = folder / f"{name.replace(' ', '-')}.sql"
        script.write_text(",\n".join(steps) + "\n" + ANSWER + "\n")
        self.manifest = folder / f"{name.replace(' ', '-')}.json"
        self.manifest.write_text(json.dumps({
            "manifest": 1, "ledger": {"url": fleets.address("bench")}, "concurrency": {"tenants": WORKERS},
            "tenants": {"query": "select nspname as id, nspname as schema from pg_namespace where nspname ~ '^t[0-9]+$' order by 1",
                        "target": {"schema": "{schema}"}},
            "runbooks": [{"id": "fill", "batch": {"sql": str(script), **batch}}]}))

    def command(self):
        return [self.program, "apply", "--quiet", "-f", self.manifest]

    def rows(self):
        try:
            return int(fleets.psql("bench", "SELECT coalesce(sum(rows_affected), 0) FROM muster.executions") or 0)
        except RuntimeError:
            return 0


class Psql:
    """By hand: one session for each tenant, eight at a time; the cursor stays in psql, and nothing is kept of it."""
    name = "psql, xargs -P 8"

    def __init__(self, folder, tenants):
        self.folder = folder
        statement = f"{PAGE.format(cursor=':cursor', limit=SIZE)}, {WORK} {ANSWER} \\gset\n"
        # As many as it takes; psql knows no loop. The last page is empty and leaves its variables unset.
        (folder / "loop.sql").write_text("\\set cursor 0\n" + statement * -(-tenants.rows // SIZE))
        (folder / "schemas.list").write_text("\n".join(tenants.schemas) + "\n")

    def command(self):
        line = f'PGOPTIONS="-c search_path={{}}" psql -X -q -v ON_ERROR_STOP=1 -d bench -f {self.folder}/loop.sql'
        return ["sh", "-c", f"xargs -P {WORKERS} -I{{}} sh -c '{line}' <{self.folder}/schemas.list"]


def killed(tenants, muster, times):
    """Kills it with -9 so often on its way, at even distances, and lets it end."""
    tenants.reset()
    began, kills = time.monotonic(), []
    share = tenants.tenants * tenants.rows // (times + 1)
    for _ in range(times):
        goal = (kills[-1] if kills else 0) + share * 9 // 10
        process = subprocess.Popen([str(word) for word in muster.command()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and muster.rows() < goal:
            time.sleep(0.05)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills.append(muster.rows())
    last = subprocess.run([str(word) for word in muster.command()], capture_output=True, text=True)
    problem = tenants.problem() or (f"exit {last.returncode}: {last.stderr[-300:]}" if last.returncode else None)
    print(f"Killed {len(kills)} times with -9, after {', '.join(f'{rows:,}' for rows in kills)} rows; "
          f"{time.monotonic() - began:.1f} s in all: {problem or 'every row exactly once'}\n", flush=True)
    return problem is None and len(kills) == times


def batch(program, folder, given):
    tenants = Tenants(folder, given.batch_tenants, given.batch_rows // given.batch_tenants)
    fixed = Muster(program, folder, "muster", {"size": SIZE, "target": "none"})
    adaptive = Muster(program, folder, f"muster, target {TARGET} ms", {"size": BEGINNING, "target": f"{TARGET}ms"}, notes=True)
    psql = Psql(folder, tenants)
    table = Table(f"{given.batch_rows:,} rows in {given.batch_tenants} tenants, batches of {SIZE:,}", psql.name, given.batch_tenants)
    good = True
    for number in range(given.rounds):
        for tool in (psql, fixed, adaptive):
            tenants.reset()
            table.add(tool.name, run(tool.command()), tenants.problem())
            if tool is adaptive:
                count, longest, middle = tenants.held()
                print(f"Round {number + 1}: {count} batches; behind the first ten they held {middle:.0f} ms (median), "
                      f"{longest:.0f} ms at most, of {2 * TARGET} allowed", flush=True)
                good &= longest <= 2 * TARGET
    good &= table.print()
    print(f"Throughput of muster to psql: {1 / table.ratio(fixed.name):.2f}; 0.8 is asked for\n", flush=True)
    good &= killed(tenants, fixed, 5)
    fleets.psql("postgres", "DROP DATABASE IF EXISTS bench WITH (FORCE)", "DROP DATABASE base_batches")
    return good
