"""Works that are about Muster alone: how it grows, what nothing costs, many runners, its start, its round trips."""
import concurrent.futures, json
from fleets import address, psql
from measure import Table, median, run
from proxy import CountingProxy


def manifest(folder, name, runbooks, scripts, **more):
    """Tenants are rows of one table, each with one row to be changed."""
    for file, text in scripts.items():
        (folder / file).write_text(text)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({
        "manifest": 1, "ledger": {"url": address("bench")},
        "tenants": {"query": "select id from public.accounts order by id", "settings": {"app.tenant": "{id}"},
                    "isolation": "script", "target": {"url": address("bench")}},
        "runbooks": runbooks, **more}))
    return path


def accounts(count):
    psql("postgres", "DROP DATABASE IF EXISTS bench WITH (FORCE)", "CREATE DATABASE bench")
    psql("bench", "CREATE TABLE public.accounts (id text PRIMARY KEY, touched int NOT NULL DEFAULT 0)",
         f"INSERT INTO public.accounts SELECT 'a_' || lpad(i::text, 7, '0') FROM generate_series(1, {count}) i",
         "VACUUM ANALYZE public.accounts", "CHECKPOINT")


TOUCH = {"touch.sql": "UPDATE public.accounts SET touched = touched + 1 WHERE id = current_setting('app.tenant');\n"}


def touched(count):
    found = psql("bench", "SELECT count(*) FROM public.accounts WHERE touched = 1")
    return None if found == str(count) else f"{found} of {count} tenants were touched once"


def growth(program, folder, given):
    """What a tenant costs, from ten tenants to very many: one row changed in each."""
    table = Table("growth: one row in each tenant", "1,000 tenants")
    sizes = [10, 100, 1_000, 10_000] + ([100_000] if given.large else [])
    path = manifest(folder, "growth", [{"id": "touch", "sql": "touch.sql"}], TOUCH)
    for number in range(3):
        for count in sizes:
            if count > 10_000 and number:
                continue
            accounts(count)
            sample = run([program, "apply", "--quiet", "-f", path])
            table.add(f"{count:,} tenants", sample, touched(count) or memory(sample, 150))
    good = table.print()
    for count in sizes:
        samples = table.samples[f"{count:,} tenants"]
        print(f"- {count:,} tenants: {median(samples, 'seconds') / count * 1000:.3f} ms each, {max(s.memory for s in samples):.0f} MiB")
    return good


def finished(folder, count, runbooks):
    """A ledger that has seen many deploys: made by one apply to one tenant, then multiplied."""
    accounts(1)
    scripts = {"nothing.sql": "SELECT 1;\n"}
    books = [{"id": f"r{i:03d}", "sql": "nothing.sql"} for i in range(runbooks)]
    return manifest(folder, "finished", books, scripts), books, scripts


def multiply(count):
    psql("bench", f"INSERT INTO public.accounts SELECT 'a_' || lpad(i::text, 7, '0') FROM generate_series(2, {count}) i",
         "INSERT INTO muster.tenants SELECT t.workspace, a.id, t.labels, t.seen_at, NULL FROM muster.tenants t, public.accounts a "
         "WHERE a.id <> t.tenant",
         f"UPDATE muster.workspaces SET tenant_count = {count}")
    if psql("bench", "SELECT to_regclass('muster.sealed') IS NOT NULL AND EXISTS (SELECT FROM muster.executions) IS FALSE") == "t":
        psql("bench", "INSERT INTO muster.sealed SELECT s.workspace, a.id, s.set_id FROM muster.sealed s, public.accounts a "
             "WHERE s.tenant <> '' AND a.id <> s.tenant")
    else:
        psql("bench", "INSERT INTO muster.executions (workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner, "
             "started_at, finished_at) SELECT e.workspace, a.id, e.runbook, e.key, e.state, e.attempt, e.checksum, e.run_id, "
             "e.runner, e.started_at, e.finished_at FROM muster.executions e, public.accounts a WHERE a.id <> e.tenant")
    psql("bench", "VACUUM ANALYZE", "CHECKPOINT")


def memory(sample, most):
    """A problem where a command took more MiB than it may."""
    return f"{sample.memory:.0f} MiB, may be {most}" if sample.memory > most else None


def noop(program, folder, given):
    """Nothing to do over more and more tenants with fifty finished runbooks each, beside the smallest thing psql does."""
    table = Table("nothing to do: tenants x 50 runbooks", "1,000 tenants")
    for count in [1_000, 5_000, 10_000] + ([100_000] if given.large else []):
        path, _, _ = finished(folder, count, 50)
        first = run([program, "apply", "--quiet", "-f", path])
        if first.status:
            table.add("first apply, 1 tenant", first)
            break
        multiply(count)
        for _ in range(given.rounds):
            sample = run([program, "apply", "--quiet", "-f", path])
            table.add(f"{count:,} tenants", sample, memory(sample, 24 if count <= 1_000 else 100))
            table.add("psql -c 'select 1'", run(["psql", "-X", "-d", "bench", "-c", "select 1"]))
    return table.print()


def plan(program, folder, given):
    """A plan with three new runbooks, as text and as JSON with every tenant in it."""
    table = Table("plan: 3 new runbooks beside 50", "1,000 tenants")
    for count in [1_000, 10_000] + ([100_000] if given.large else []):
        path, books, scripts = finished(folder, count, 50)
        first = run([program, "apply", "--quiet", "-f", path])
        if first.status:
            table.add("first apply, 1 tenant", first)
            break
        multiply(count)
        new = [{"id": f"new{i}", "sql": "nothing.sql"} for i in range(3)]
        path = manifest(folder, "plan", books + new, scripts)
        for _ in range(given.rounds):
            for name, words in [("", ["--quiet"]), (", JSON", ["--format", "json"])]:
                sample = run([program, "plan", *words, "-f", path])
                table.add(f"{count:,} tenants{name}", sample, memory(sample, 150))
    return table.print()


def runners(program, folder, given):
    """Three runners on one run against one, eight tenants at a time each, which is less than all three together may have."""
    count = 3000
    sleep = {"sleep.sql": "SELECT pg_sleep(0.02);\n" + TOUCH["touch.sql"]}
    path = manifest(folder, "runners", [{"id": "sleep", "sql": "sleep.sql"}], sleep, concurrency={"tenants": 8, "per_server": 32})
    table = Table(f"runners: {count:,} tenants that sleep 20 ms, 8 at a time each", "one runner")
    apply = [program, "apply", "--quiet", "-f", path]
    for _ in range(3):
        accounts(count)
        table.add("one runner", run(apply), touched(count))
        accounts(count)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            samples = list(pool.map(lambda _: run(apply), range(3)))
        slowest = max(samples, key=lambda sample: sample.seconds)
        slowest.status = max(sample.status for sample in samples)
        table.add("three runners", slowest, touched(count))
    return table.print()


def start(program, folder, given):
    """What a start costs, beside the smallest thing psql does."""
    table = Table("start", "psql --version")
    for _ in range(20):
        table.add("psql --version", run(["psql", "--version"]))
        table.add("psql -c 'select 1'", run(["psql", "-X", "-d", "postgres", "-c", "select 1"]))
        table.add("muster version", run([program, "version"]))
    return table.print()


def roundtrips(program, folder, given):
    """How often a deploy waits for the server, counted between client and server."""
    for count in (100, 200):
        accounts(count)
        with CountingProxy() as proxy:
            scripts = {**TOUCH, "nothing.sql": "SELECT 1;\n"}
            books = [{"id": "touch", "sql": "touch.sql"}, {"id": "second", "sql": "nothing.sql"}, {"id": "third", "sql": "nothing.sql"}]
            path = manifest(folder, "roundtrips", books, scripts)
            path.write_text(path.read_text().replace(address("bench"), proxy.address("bench")))
            sample = run([program, "apply", "--quiet", "-f", path])
            deployed = proxy.count
            again = run([program, "apply", "--quiet", "-f", path])
            nothing = proxy.count - deployed
        problem = touched(count)
        print(f"- {count} tenants x 3 runbooks: {deployed} round trips ({deployed / count:.2f} per tenant), "
              f"nothing to do: {nothing}; exits {sample.status} {again.status}{'; WRONG: ' + problem if problem else ''}")
        if problem or sample.status or again.status:
            return False
    return True
