#!/usr/bin/env bash
# Run the quality gates, all of them even when one fails, and end with a table.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
trap 'printf "build.sh: line %s failed with status %s; run bash -x build.sh to see why.\n" "$LINENO" "$?" >&2' ERR

readonly bin=.venv/bin
readonly gate_limit_s=600
table=()
failed=0

usage() {
    cat <<EOF
Usage: ./build.sh [--fast] [--help]

Runs the quality gates: pip check, byte-compilation, lint, format, types, import contracts, docstrings, unit tests.
Installs first (./setup.sh) where .venv is missing. Every gate runs, then a table shows result and seconds.

  --fast  leave the unit tests out
  --help  print this

Exit status: 0 every gate passed · 1 a gate failed · 2 wrong usage · otherwise that of ./setup.sh
EOF
}

# gate NAME COMMAND...: run one gate within its time limit and keep its line of the table.
gate() {
    local name=$1 begin_s=$SECONDS result=passed
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    timeout --foreground "$gate_limit_s" "$@" </dev/null || result="FAILED ($?)"
    [[ $result == passed ]] || failed=1
    table+=("$(printf '%-18s %-12s %5d s' "$name" "$result" "$((SECONDS - begin_s))")")
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

    gate "pip check" "$bin/python" -m pip check
    gate "byte-compilation" "$bin/python" -m compileall -q standup tests celeryconfig.py
    gate "lint" "$bin/ruff" check .
    gate "format" "$bin/ruff" format --check .
    gate "types" "$bin/mypy"
    gate "import contracts" "$bin/lint-imports"
    gate "docstrings" "$bin/interrogate" --quiet --fail-under 95 --ignore-private --ignore-semiprivate \
        --ignore-magic --ignore-init-method --ignore-nested-functions standup
    [[ $fast == yes ]] ||
        gate "unit tests" "$bin/python" -m pytest -q -m "not integration" -n auto --maxprocesses 4

    printf '\n%-18s %-12s %7s\n' gate result time
    printf '%s\n' "${table[@]}"
    exit "$failed"
}

main "$@"
