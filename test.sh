#!/usr/bin/env bash
# Run the tests with coverage: unit, integration, or both; installs first what is missing.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
trap 'printf "test.sh: line %s failed with status %s; run bash -x test.sh to see why.\n" "$LINENO" "$?" >&2' ERR

readonly bin=.venv/bin
readonly unit_floor_percent=85 integration_floor_percent=70
readonly unit_limit_s=300 integration_limit_s=1500 alone_limit_s=600
# pytest's status when nothing was chosen; timeout's for what it stopped.
readonly none_chosen=5 too_late=124
readonly beside_each_other=(-n auto --maxprocesses 4)
table=()
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

Tests run beside each other, one per core, integration tests one more, and four at most; of the integration tests those
that measure time or need the machine for themselves (marked "alone") come afterwards, one by one.

Each kind counts only what its own tests ran. Runs ./setup.sh --dev first, which is quick when nothing is missing. Ends with a
table of what took how long: the unit tests may take $unit_limit_s s, the others $integration_limit_s s, those alone $alone_limit_s s.
Arguments after -- go to pytest, e.g. ./test.sh unit -- -k journal; coverage is then shown and not enforced.

Exit status: 0 every test passed and both floors hold · 1 not so · 2 wrong usage · otherwise that of ./setup.sh
EOF
}

percent_floor() { ((${#pytest_arguments[@]})) && echo 0 || echo "$1"; }

# run_tests KIND NAME LIMIT_S PYTEST-ARGUMENT...: run tests, adding to the coverage data of their kind; status is pytest's.
run_tests() {
    local kind=$1 name=$2 limit_s=$3 status=0 log=$work/log begin_s=$SECONDS
    shift 3
    COVERAGE_FILE=$PWD/.coverage.$kind timeout --foreground "$limit_s" "$bin/python" -m pytest --color="$color" \
        --cov --cov-report= "$@" "${pytest_arguments[@]}" </dev/null 2>&1 | tee "$log" || status=$?
    ((status != too_late)) || printf 'test.sh: the %s tests took over %s s and were stopped.\n' "$name" "$limit_s" >&2
    ((status == none_chosen)) || keep_line "$name" "$status" "$((SECONDS - begin_s))" "$limit_s"
    return "$status"
}

# keep_line NAME STATUS SECONDS LIMIT_S: keep a line of the table, with pytest's own summary.
keep_line() {
    local result=passed summary
    (($2 == 0)) || result="FAILED ($2)"
    (($2 != too_late)) || result="TOO SLOW"
    summary=$(sed 's/\x1b\[[0-9;]*m//g' "$work/log" | sed -nE 's/^=+ (.* in [0-9.]+s( \([0-9:]+\))?) =+$/\1/p' | tail -n 1)
    table+=("$(printf '%-20s %-12s %5d s %5d s  %s' "$1" "$result" "$3" "$4" "$summary")")
}

begin() {
    printf '\n== %s tests\n' "$1"
    rm -f ".coverage.$1" ".coverage.$1".*
}

run_unit() {
    begin unit
    run_tests unit "unit" "$unit_limit_s" -m "not integration" "${beside_each_other[@]}" || failed=1
    report unit "$(percent_floor "$unit_floor_percent")" "$(IFS=,; echo "${edges[*]}")"
}

run_integration() {
    local together=0 alone=0
    # A third of their time is waiting for the programs that they start.
    local -x PYTEST_XDIST_AUTO_NUM_WORKERS=${PYTEST_XDIST_AUTO_NUM_WORKERS:-$(($(nproc) + 1))}
    begin integration
    # By file, because the tests of a file share what was started for them.
    run_tests integration "integration" "$integration_limit_s" -m "integration and not alone" "${beside_each_other[@]}" \
        --dist loadfile --no-loadscope-reorder || together=$?
    run_tests integration "integration, alone" "$alone_limit_s" -m "integration and alone" --cov-append || alone=$?
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
    ./setup.sh --dev
    # Tests see the defaults, whatever this shell has set for a real installation.
    for variable in "${!STANDUP_@}"; do unset "$variable"; done
    # Where it is set, every process compiles our code anew, and pytest rewrites every test.
    unset PYTHONDONTWRITEBYTECODE
    [[ ! -t 1 ]] || color=yes
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT

    [[ $kinds == integration ]] || run_unit
    [[ $kinds == unit ]] || run_integration
    write_html
    compare_coverage
    printf '\n%-20s %-12s %7s %7s\n' tests result time limit
    printf '%s\n' "${table[@]}"
    exit "$failed"
}

main "$@"
