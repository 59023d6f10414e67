# bash completion for muster: source <(muster completions bash)
_muster() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' words='' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -*) ;;
        *) command="${command:+$command }${COMP_WORDS[i]}" ;;
        esac
    done
    case $prev in
    --manifest | -f) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --format) COMPREPLY=($(compgen -W 'text json ndjson' -- "$cur")); return ;;
    --ledger) return ;;
    --phase) return ;;
    --runbook) return ;;
    --tenant) return ;;
    --match) return ;;
    --skip-tenant) return ;;
    --concurrency) return ;;
    --expect-tenants) return ;;
    --out) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --sample) return ;;
    --max-hold) return ;;
    --lock-wait) return ;;
    --max-failures) return ;;
    --release) return ;;
    --grace) return ;;
    --report) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --plan) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --workspace) return ;;
    --limit) return ;;
    --reason) return ;;
    --run) return ;;
    esac
    case $command in
    '') words='validate plan rehearse apply up migrate status check runs show cancel retry resolve rollback down undo ledger tenants locks schema init completions version help --help --version' ;;
    'ledger') words='list export baseline repair' ;;
    'locks') words='list key' ;;
    'ledger list' | 'ledger list '*) words='--manifest --ledger --workspace --runbook --tenant --format --no-color --help' ;;
    'ledger export' | 'ledger export '*) words='--manifest --ledger --workspace --all --no-color --help' ;;
    'ledger baseline' | 'ledger baseline '*) words='--manifest --ledger --phase --runbook --all-tenants --tenant --match --skip-tenant --reason --lock-wait --yes --quiet --format --no-color --help' ;;
    'ledger repair' | 'ledger repair '*) words='--manifest --ledger --tenant --match --skip-tenant --runbook --adopt --forget-missing --accept-checksum --reason --lock-wait --yes --quiet --format --no-color --help' ;;
    'locks list' | 'locks list '*) words='--manifest --ledger --format --no-color --help' ;;
    'locks key' | 'locks key '*) words='--manifest --ledger --format --no-color --help' ;;
    'validate' | 'validate '*) words='--manifest --quiet --format --no-color --help' ;;
    'plan' | 'plan '*) words='--manifest --ledger --phase --runbook --tenant --match --skip-tenant --concurrency --expect-tenants --exit-code --out --quiet --verbose --format --no-color --help' ;;
    'rehearse' | 'rehearse '*) words='--manifest --ledger --phase --runbook --tenant --match --skip-tenant --sample --concurrency --max-hold --lock-wait --expect-tenants --quiet --format --no-color --help' ;;
    'apply' | 'apply '* | 'up' | 'up '* | 'migrate' | 'migrate '*) words='--manifest --ledger --phase --runbook --tenant --match --skip-tenant --concurrency --lock-wait --max-failures --release --expect-tenants --grace --report --plan --yes --quiet --verbose --format --no-color --help' ;;
    'status' | 'status '*) words='--manifest --ledger --workspace --phase --runbook --tenant --match --skip-tenant --format --no-color --help' ;;
    'check' | 'check '*) words='--manifest --ledger --workspace --tenant --all-tenants --quiet --format --no-color --help' ;;
    'runs' | 'runs '*) words='--manifest --ledger --workspace --limit --format --no-color --help' ;;
    'show' | 'show '*) words='--manifest --ledger --workspace --format --no-color --help' ;;
    'cancel' | 'cancel '*) words='--manifest --ledger --workspace --tenant --match --skip-tenant --reason --yes --quiet --format --no-color --help' ;;
    'retry' | 'retry '*) words='--manifest --ledger --tenant --match --skip-tenant --concurrency --lock-wait --release --grace --report --yes --quiet --verbose --format --no-color --help' ;;
    'resolve' | 'resolve '*) words='--manifest --ledger --tenant --match --skip-tenant --applied --retry --reason --lock-wait --yes --quiet --format --no-color --help' ;;
    'rollback' | 'rollback '* | 'down' | 'down '* | 'undo' | 'undo '*) words='--manifest --ledger --run --phase --tenant --match --skip-tenant --include-baselined --dry-run --concurrency --lock-wait --max-failures --release --expect-tenants --grace --report --yes --quiet --verbose --format --no-color --help' ;;
    'tenants' | 'tenants '*) words='--manifest --ledger --tenant --match --skip-tenant --format --no-color --help' ;;
    'schema' | 'schema '*) words='--help' ;;
    'init' | 'init '*) words='--format --no-color --help' ;;
    'completions' | 'completions '*) words='--help' ;;
    'version' | 'version '*) words='--format --no-color --help' ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _muster muster
