#!/usr/bin/env bash
# Run the tests with coverage: unit, integration, or both; installs first what is missing.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
trap 'printf "test.sh: line %s failed with status %s; run bash -x test.sh to see why.\n" "$LINENO" "$?" >&2' ERR

readonly bin=.venv/bin
readonly unit_floor_percent=85 integration_floor_percent=70
readonly unit_limit_s=300 integration_limit_s=1500 alone_limit_s=600
# pytest's status when nothing was chosen.
readonly none_chosen=5
readonly beside_each_other=(-n auto --maxprocesses 4)
closing_lines=()
failed=0

# Left out of the unit figure, not of the integration figure: nothing but edges to a live process, socket or model.
readonly edges=(
    'standup/demo.py' 'standup/bench/*'                            # start every process, measure real work
    'standup/worker.py' 'standup/supervision/launch.py'            # signals of a live worker, the life of a child
    'standup/bot/client.py' 'standup/bot/voice_client.py'          # a gateway and a voice session with Discord
    'standup/bot/voice_recorder.py' 'standup/bot/event_monitor.py' # the programs around them
    'standup/simulator/server.py' 'standup/simulator/voice_server.py' 'standup/simulator/voice_client.py' # sockets
    'standup/transcribe/whisper.py' 'standup/transcribe/cuda.py'   # a loaded model, a GPU
)

usage() {
    cat <<EOF
Usage: ./test.sh [unit|integration|all] [--help]

  unit         the tests without processes; branch coverage at least $unit_floor_percent %
  integration  the tests that start real processes; coverage of those processes at least $integration_floor_percent %
  all          both (the default), and htmlcov/index.html with both together; no package may run much less than
               docs/coverage.json keeps of it

Tests run beside each other, one per core and four at most; of the integration tests those that measure time or need the
machine for themselves (marked "alone") come afterwards, one by one.

Each kind counts only what its own tests ran. Runs ./setup.sh first, which is quick when nothing is missing.
Arguments after -- go to pytest, e.g. ./test.sh unit -- -k journal; coverage is then shown and not enforced.

Exit status: 0 every test passed and both floors hold · 1 not so · 2 wrong usage · otherwise that of ./setup.sh
EOF
}

percent_floor() { ((${#pytest_arguments[@]})) && echo 0 || echo "$1"; }

# run_tests KIND LIMIT PYTEST-ARGUMENT...: run tests, adding to the coverage data of their kind; status is pytest's.
run_tests() {
    local kind=$1 limit_s=$2 status=0 log=$work/log
    shift 2
    COVERAGE_FILE=$PWD/.coverage.$kind timeout --foreground "$limit_s" "$bin/python" -m pytest --color="$color" \
        --cov --cov-report= "$@" "${pytest_arguments[@]}" </dev/null 2>&1 | tee "$log" || status=$?
    ((status == none_chosen)) ||
        closing_lines+=("$(grep -E '=+ .* in [0-9.]+s.* =+' "$log" | tail -n 1 || true)")
    ((status != 124)) || printf 'test.sh: the %s tests took over %s s and were stopped.\n' "$kind" "$limit_s" >&2
    return "$status"
}

begin() {
    printf '\n== %s tests\n' "$1"
    rm -f ".coverage.$1" ".coverage.$1".*
}

run_unit() {
    begin unit
    run_tests unit "$unit_limit_s" -m "not integration" "${beside_each_other[@]}" || failed=1
    report unit "$(percent_floor "$unit_floor_percent")" "$(IFS=,; echo "${edges[*]}")"
}

run_integration() {
    local together=0 alone=0
    begin integration
    # By file, because the tests of a file share what was started for them.
    run_tests integration "$integration_limit_s" -m "integration and not alone" "${beside_each_other[@]}" \
        --dist loadfile --no-loadscope-reorder || together=$?
    run_tests integration "$alone_limit_s" -m "integration and alone" --cov-append || alone=$?
    case $together,$alone in
        0,0 | 0,"$none_chosen" | "$none_chosen",0) ;;
        *) failed=1 ;;
    esac
    report integration "$(percent_floor "$integration_floor_percent")" ""
}

# Print the coverage of one kind and hold it against its floor.
report() {
    local kind=$1 floor=$2 omitted=$3
    # Processes that outlived pytest's own session have left their data in files of their own. Combining fails when
    # there is nothing but what a killed process did not write to its end; the floor still holds for what was counted.
    if compgen -G ".coverage.$kind.*" >/dev/null; then
        COVERAGE_FILE=$PWD/.coverage.$kind "$bin/coverage" combine --quiet --append ||
            printf 'test.sh: no coverage in what is left of killed processes; it is not counted.\n' >&2
        rm -f ".coverage.$kind".*
    fi
    printf '\n-- %s coverage, at least %s %%\n' "$kind" "$floor"
    COVERAGE_FILE=$PWD/.coverage.$kind "$bin/coverage" report --fail-under="$floor" ${omitted:+--omit="$omitted"} || {
        failed=1
        printf 'test.sh: %s coverage is below its floor of %s %%; the table above names the lines.\n' "$kind" "$floor" >&2
    }
}

write_html() {
    local data=() kind
    for kind in unit integration; do [[ ! -f .coverage.$kind ]] || data+=(".coverage.$kind"); done
    ((${#data[@]})) || return 0
    # In a folder of its own: reporting from a file takes in, and deletes, what lies beside it under a longer name.
    export COVERAGE_FILE=$work/both
    "$bin/coverage" combine --quiet --keep "${data[@]}"
    "$bin/coverage" html --quiet --directory htmlcov
    printf '\nhtmlcov/index.html shows %s.\n' "${data[*]}"
}

# Hold what a whole run has measured against what docs/coverage.json keeps of the last one.
compare_coverage() {
    [[ $kinds == all && ! ${pytest_arguments[*]} && -f docs/coverage.json ]] || return 0
    "$bin/python" -m tests.documents.coverage --compare || failed=1
}

main() {
    local kinds=all variable
    pytest_arguments=() color=no
    while (($#)); do
        case $1 in
            unit | integration | all) kinds=$1 ;;
            -h | --help)
                usage
                exit 0
                ;;
            --)
                pytest_arguments=("${@:2}")
                break
                ;;
            *)
                printf 'test.sh: unknown argument %s; see ./test.sh --help.\n' "$1" >&2
                exit 2
                ;;
        esac
        shift
    done
    ./setup.sh
    # Tests see the defaults, whatever this shell has set for a real installation.
    for variable in "${!STANDUP_@}"; do unset "$variable"; done
    [[ ! -t 1 ]] || color=yes
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT

    [[ $kinds == integration ]] || run_unit
    [[ $kinds == unit ]] || run_integration
    write_html
    compare_coverage
    printf '%s\n' "${closing_lines[@]}"
    exit "$failed"
}

main "$@"
