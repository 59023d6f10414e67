"""Very many tenant databases on a server with few connections: never more than `per_server` of them are open.

Started by ci/bench as a program of its own, on a server of its own that takes 50 connections; see docs/performance.md.
"""
import argparse, json, os, pathlib, re, shutil, subprocess, sys, tempfile, time
from fleets import address, psql

QUESTION = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
# A transaction for each look: within one, pg_stat_activity stays as it was (PostgreSQL's manual, 28.2.3).
SAMPLER = f"""
CREATE TABLE samples (seen int);
CREATE TABLE over (x int);
CREATE PROCEDURE sample() LANGUAGE plpgsql AS $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM over) LOOP
        INSERT INTO samples SELECT count(*) {QUESTION};
        COMMIT;
        PERFORM pg_sleep(0.005);
        COMMIT;
    END LOOP;
END $$
"""


def tenants(count):
    """Databases with a table that counts effects; answers their names."""
    names = [f"d_{number:05d}" for number in range(1, count + 1)]
    psql("postgres", f"CREATE DATABASE {names[0]} TEMPLATE template0")
    psql(names[0], "CREATE TABLE witness (runbook text)")
    for first in range(1, count, 100):
        psql("postgres", *[f"CREATE DATABASE {name} TEMPLATE {names[0]}" for name in names[first:first + 100]])
    psql("postgres", "CREATE DATABASE fleet TEMPLATE template0", "CREATE DATABASE watch TEMPLATE template0")
    psql("fleet", "CREATE TABLE tenants (id text PRIMARY KEY)",
         *["INSERT INTO tenants VALUES " + ", ".join(f"('{name}')" for name in names[first:first + 1000])
           for first in range(0, count, 1000)])
    return names


def manifest(folder, runbooks, per_server):
    for runbook in runbooks:
        (folder / f"{runbook}.sql").write_text(f"INSERT INTO witness VALUES ('{runbook}');\n")
    path = folder / "deploy.json"
    path.write_text(json.dumps({
        "manifest": 1, "ledger": {"url": address("fleet")},
        "tenants": {"query": "select id from tenants order by id", "target": {"url": address("{id}")}},
        "concurrency": {"tenants": 64, "per_server": per_server},
        "runbooks": [{"id": runbook, "sql": f"{runbook}.sql"} for runbook in runbooks]}))
    return path


def effects_in(names):
    """What each tenant has had. One psql goes from database to database."""
    question = "SELECT coalesce(string_agg(runbook, ' ' ORDER BY runbook), '') FROM witness;\n"
    done = subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "postgres"], capture_output=True, text=True, check=True,
        input="".join(f"\\connect {name}\n{question}" for name in names))
    return done.stdout.splitlines()


def log_since(place):
    log = pathlib.Path(os.environ["PGHOST"], "log")
    with log.open(errors="replace") as file:
        file.seek(place)
        return file.read()


def peak(text):
    """How many connections of Muster were open at once, by what the server wrote down as each began and ended: no look can
    miss one."""
    now, most, known = 0, 0, set()
    for line in text.splitlines():
        found = re.match(r"\[(\d+)\] .*(connection authorized|disconnection): ", line)
        if not found:
            continue
        if found[2] == "disconnection":
            now -= found[1] in known
            known.discard(found[1])
        elif "application_name=muster/" in line:
            known.add(found[1])
            now += 1
            most = max(most, now)
    return most


def deploy(program, path, runners):
    """Runs one deploy with so many runners, watched from a session of its own; answers what was seen."""
    psql("watch", "DROP TABLE IF EXISTS samples, over", "DROP PROCEDURE IF EXISTS sample")
    psql("watch", SAMPLER)
    place = pathlib.Path(os.environ["PGHOST"], "log").stat().st_size
    watching = subprocess.Popen(["psql", "-XqAt", "-d", "watch", "-c", "CALL sample()"])
    while psql("watch", "SELECT count(*) FROM samples") == "0":
        time.sleep(0.05)
    # Whoever asked that is gone.
    while int(psql("watch", f"SELECT count(*) {QUESTION} AND application_name <> ''").splitlines()[0]) > 1:
        time.sleep(0.05)
    time.sleep(0.2)
    psql("watch", "DELETE FROM samples")
    began = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp())
    running = []
    for number in range(runners):
        output, errors = (folder / f"{number}.out").open("w"), (folder / f"{number}.err").open("w")
        running.append(subprocess.Popen(
            [program, "apply", "-f", path, "--format", "json"], stdin=subprocess.DEVNULL, stdout=output, stderr=errors))
    codes = [process.wait() for process in running]
    seconds = time.monotonic() - began
    psql("watch", "INSERT INTO over VALUES (1)")
    watching.wait()
    reports = [json.loads((folder / f"{number}.out").read_text()) for number in range(runners)]
    printed = "".join(file.read_text() for file in folder.iterdir())
    log = log_since(place)
    shutil.rmtree(folder)
    samples, most = psql("watch", "SELECT count(*), max(seen) FROM samples WHERE seen > 0").split("|")
    return {
        "codes": codes, "seconds": seconds, "reports": reports, "samples": int(samples), "most": int(most),
        "logged": peak(log), "connections": log.count("application_name=muster/"),
        "refused": log.count("too many clients") + log.count("remaining connection slots"),
        "printed": printed.count("53300") + printed.count("too many clients") + printed.count("takes no more connections"),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", required=True, type=pathlib.Path)
    parser.add_argument("--databases", type=int, default=2000)
    parser.add_argument("--per-server", type=int, default=16)
    given = parser.parse_args()
    psql("postgres", "ALTER SYSTEM SET log_connections = on", "ALTER SYSTEM SET log_disconnections = on",
         "ALTER SYSTEM SET log_line_prefix = '[%p] '", "ALTER SYSTEM SET autovacuum = off",
         "SELECT pg_reload_conf()")
    connections = psql("postgres", "SHOW max_connections")
    folder = pathlib.Path(tempfile.mkdtemp())
    began = time.monotonic()
    names = tenants(given.databases)
    print(f"{len(names):,} databases made in {time.monotonic() - began:.0f} s, "
          f"{psql('postgres', 'SELECT pg_size_pretty(sum(pg_database_size(oid))) FROM pg_database')}", flush=True)
    print(f"\n### budget: {len(names):,} databases, max_connections = {connections}, per_server: {given.per_server}\n")
    print("| | s | connections made | most at once, by pg_stat_activity | looks | by the log | refused (53300) | |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    good = True
    runbooks = []
    for runners in (1, 3):
        runbooks.append(f"r{runners}")
        seen = deploy(given.muster, manifest(folder, runbooks, given.per_server), runners)
        problems = []
        # A runner that joins has its connection to the ledger before it has its share.
        allowed = given.per_server + runners - 1
        if max(seen["most"], seen["logged"]) > allowed:
            problems.append(f"{max(seen['most'], seen['logged'])} connections at once, may be {allowed}")
        if seen["refused"] or seen["printed"]:
            problems.append(f"{seen['refused']} were refused, {seen['printed']} times it was printed")
        if any(seen["codes"]):
            problems.append(f"exit {seen['codes']}: {[report['failures'][:2] for report in seen['reports']]}")
        done = max(report["counts"]["succeeded"] for report in seen["reports"])
        if done != len(names):
            problems.append(f"{done} succeeded")
        good &= not problems
        print(f"| {runners} runner{'s' if runners > 1 else ''} | {seen['seconds']:.1f} | {seen['connections']:,} | {seen['most']} "
              f"| {seen['samples']:,} | {seen['logged']} | {seen['refused']} | {'; '.join(problems) or 'right'} |", flush=True)
    wrong = sum(effects != " ".join(runbooks) for effects in effects_in(names))
    print(f"\n{wrong} tenants are wrong: each must have had each runbook once.", flush=True)
    shutil.rmtree(folder)
    return 0 if good and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
