"""What a rehearsal foretells, beside what apply then does: failures, rows, and the time."""
import json, os, pathlib, statistics, subprocess
from fleets import address, psql

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "manifests/findings-lifecycle/postgres"
TENANTS = 200
# What somebody has done to them by hand: these fail in the first runbook, that one in the backfill.
BROKEN = [f"ALTER TABLE tenant_{number:04d}.findings ADD COLUMN lifecycle_state text" for number in (7, 50, 120)]
BROKEN.append("ALTER TABLE tenant_0090.findings RENAME COLUMN status TO was_status")
CANARY = [word for number in (1, 2, 3, 4) for word in ("--tenant", f"tenant-{number:04d}")]
REHEARSABLE = ["--runbook", "findings-lifecycle-columns", "--runbook", "findings-lifecycle-backfill"]


def muster(program, verb, words=()):
    done = subprocess.run(
        [program, verb, "-f", SAMPLE / "deploy.json5", "--format", "json", *words], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, env={**os.environ, "DATABASE_URL": address("bench")})
    return json.loads(done.stdout)


def dump():
    done = subprocess.run(["pg_dump", "--no-comments", "-d", address("bench")], capture_output=True, text=True, check=True)
    # Each dump has a random key for psql.
    return [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


def failures(report):
    return sorted((it["tenant"], it["runbook"], it["message"]) for it in report["failures"] if it.get("state") != "blocked")


def rows(report):
    return {it["id"]: it["rows_affected"] for it in report["runbooks"]}


def prepare(program):
    psql("postgres", "CREATE DATABASE base_first TEMPLATE template0")
    subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "base_first", "-f", SAMPLE / "setup.sql", "-c",
                    f"CALL public.create_tenants({TENANTS})", *[word for text in BROKEN for word in ("-c", text)]],
                   check=True, capture_output=True)
    psql("postgres", "CREATE DATABASE bench TEMPLATE base_first")
    assert muster(program, "apply", CANARY)["exit_code"] == 0
    psql("postgres", "ALTER DATABASE bench RENAME TO base_canary")


def rehearsal(program, folder, given):
    """Each round rehearses and applies on a fresh copy: the first deploy, its transactional runbooks alone, and the deploy
    to the rest behind four tenants, whose times the ledger has."""
    prepare(program)
    cases = [("the first deploy, whose index nobody has timed", "base_first", []),
             ("its transactional runbooks", "base_first", REHEARSABLE),
             ("the deploy behind a canary of four", "base_canary", [])]
    seen, wrong = {name: [] for name, _, _ in cases}, {}
    for number in range(given.rounds):
        for name, base, words in cases:
            psql("postgres", "DROP DATABASE IF EXISTS bench WITH (FORCE)", f"CREATE DATABASE bench TEMPLATE {base}",
                 "CHECKPOINT")
            before = dump() if number == 0 else None
            rehearsed = muster(program, "rehearse", words)
            if before is not None and dump() != before:
                wrong[name] = "the rehearsal left something behind"
            applied = muster(program, "apply", words)
            if failures(rehearsed) != failures(applied) or len(failures(applied)) != len(BROKEN):
                wrong[name] = f"foretold {failures(rehearsed)}, met {failures(applied)}"
            if rows(rehearsed) != rows(applied) or rehearsed["exit_code"] != applied["exit_code"]:
                wrong[name] = f"foretold {rows(rehearsed)}, met {rows(applied)}"
            seen[name].append((rehearsed["estimate"]["duration_ms"], applied["duration_ms"],
                               rehearsed["estimate"]["without_figure"]))
    print(f"\n### rehearsal: findings-lifecycle on {TENANTS} schemas, {given.rounds} rounds, interleaved\n")
    print("| | estimated ms | apply took ms | estimated / took: median | min | max | without | |")
    print("|---|---:|---:|---:|---:|---:|---|---|")
    for name, samples in seen.items():
        ratios = [estimate / took for estimate, took, _ in samples]
        without = samples[0][2]
        # The hook for the workspace, which starts once.
        if set(without) - {"announce"}:
            wrong.setdefault(name, f"no figure for {without}")
        if not 0.5 <= statistics.median(ratios) <= 2:
            wrong.setdefault(name, "the estimate is off by more than a factor of two")
        print(f"| {name} | {statistics.median(it[0] for it in samples):.0f} | {statistics.median(it[1] for it in samples):.0f} "
              f"| {statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} | {', '.join(without)} "
              f"| {'WRONG' if name in wrong else 'right'} |")
    for name, problem in wrong.items():
        print(f"\n{name}: {problem}")
    print(flush=True)
    psql("postgres", *[f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in ("bench", "base_first", "base_canary")])
    return not wrong
