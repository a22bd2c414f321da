#!/usr/bin/env bash
# Run the quality gates, all of them even when one fails, and end with a table.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
trap 'printf "build.sh: line %s failed with status %s; run bash -x build.sh to see why.\n" "$LINENO" "$?" >&2' ERR

readonly bin=.venv/bin
readonly dependencies_limit_s=120 compilation_limit_s=180 unit_limit_s=300 gate_limit_s=600
# timeout's status for what it stopped.
readonly too_late=124
table=()
failed=0

usage() {
    cat <<EOF
Usage: ./build.sh [--fast] [--help]

Runs the quality gates: dependencies (what pip finds wrong, and what is not as pinned), byte-compilation, lint, format,
types, import contracts, docstrings, unit tests. Installs first (./setup.sh) where .venv is missing. Every gate runs,
then a table shows its result and seconds. A gate that takes longer than its limit has failed: $dependencies_limit_s s for the
dependencies, $compilation_limit_s s for byte-compilation, $unit_limit_s s for the unit tests, $gate_limit_s s for each other.

  --fast  leave the unit tests out
  --help  print this

Exit status: 0 every gate passed · 1 a gate failed · 2 wrong usage · otherwise that of ./setup.sh
EOF
}

# gate NAME LIMIT_S COMMAND...: run one gate within its time limit and keep its line of the table.
gate() {
    local name=$1 limit_s=$2 begin_s=$SECONDS status=0 result=passed
    shift 2
    printf '\n== %s: %s\n' "$name" "$*"
    timeout --foreground "$limit_s" "$@" </dev/null || status=$?
    if ((status)); then
        failed=1 result="FAILED ($status)"
        ((status != too_late)) || result="TOO SLOW"
    fi
    table+=("$(printf '%-18s %-12s %5d s %5d s' "$name" "$result" "$((SECONDS - begin_s))" "$limit_s")")
}

main() {
    local fast=no variable
    while (($#)); do
        case $1 in
            --fast) fast=yes ;;
            -h | --help)
                usage
                exit 0
                ;;
            *)
                printf 'build.sh: unknown argument %s; see ./build.sh --help.\n' "$1" >&2
                exit 2
                ;;
        esac
        shift
    done
    [[ -x $bin/standup ]] || ./setup.sh
    # Tests and checks see the defaults, whatever this shell has set for a real installation.
    for variable in "${!STANDUP_@}"; do unset "$variable"; done

    gate "dependencies" "$dependencies_limit_s" .ci/packages
    # What npm has put beside the tests is not ours.
    gate "byte-compilation" "$compilation_limit_s" "$bin/python" -m compileall -q -x node_modules \
        standup tests celeryconfig.py
    gate "lint" "$gate_limit_s" "$bin/ruff" check .
    gate "format" "$gate_limit_s" "$bin/ruff" format --check .
    gate "types" "$gate_limit_s" "$bin/mypy"
    gate "import contracts" "$gate_limit_s" "$bin/lint-imports"
    gate "docstrings" "$gate_limit_s" "$bin/interrogate" --quiet --fail-under 95 --ignore-private --ignore-semiprivate \
        --ignore-magic --ignore-init-method --ignore-nested-functions standup
    [[ $fast == yes ]] ||
        gate "unit tests" "$unit_limit_s" "$bin/python" -m pytest -q -m "not integration" -n auto --maxprocesses 4

    printf '\n%-18s %-12s %7s %7s\n' gate result time limit
    printf '%s\n' "${table[@]}"
    exit "$failed"
}

main "$@"
