#!/usr/bin/env bash
# Bring a release into service under the running supervisord, one program at a time, and back out when it fails.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly bin=.venv/bin
readonly lock=data/deploy.lock release_file=data/release restarts_file=data/restarted
# A worker may take its stopwaitsecs to finish the task in hand; a program its startsecs to count as started.
readonly change_limit_s=600 up_limit_s=90 call_limit_s=60
# supervisord calls a program started after seconds; one that cannot import its code may die a little later.
readonly settle_s=5
readonly installed_by=(setup.sh requirements.txt constraints.txt pyproject.toml)
readonly logrotate_dir=${STANDUP_LOGROTATE_DIR:-/etc/logrotate.d}

usage() {
    cat <<EOF_USAGE
Usage: ./deploy.sh [REF] [--now] [--wait SECONDS] [--again] [--help]

Brings release REF (a commit, tag or branch; default: what is checked out) into service, in this order: check it out,
./setup.sh when its requirements differ, \`standup doctor\`, \`standup migrate\`, /etc/logrotate.d/standupbot, then restart
the workers one at a time (each finishes its task first), beat, flower and sentinel, the monitor, and the recorder when
no meeting is being recorded. After each restart the program must be RUNNING and \`standup doctor\` content. When
anything fails, the former release is checked out again and whatever was restarted is restarted with it.

  --now           restart the recorder also in the middle of a meeting (it goes on with it; the notes name the gap)
  --wait SECONDS  how long to wait for the end of a meeting; default 3600
  --again         restart also the programs that run this release with these settings already
  --help          print this

May be run again at any time: what is in service is left alone. Programs that did not run before are started, but
cannot fail the deployment. Left alone are redis (nothing of ours is in it), supervisord itself, and the database's
schema on the way back: a migration only adds.

Exit status: 0 in service · 1 failed, the former release is back in service · 2 wrong usage · 65 uncommitted changes
69 supervisord does not run · 70 failed, and so did the way back: see to it · 75 the recorder waits for the end of a
meeting, or another deployment is going on · 78 the doctor found what would stop a meeting; nothing was restarted
130 interrupted, the former release is back in service
EOF_USAGE
}

say() { printf '%s\n' "$*"; }

step() {
    step_name=$*
    say "== $*"
}

# fail STATUS SENTENCE...: end before anything was changed, with what is wrong and what to do next.
fail() {
    trap - ERR INT TERM
    printf 'deploy.sh: %s\n' "${*:2}" >&2
    exit "$1"
}

read_arguments() {
    ref='' now=no again=no wait_s=3600
    while (($#)); do
        case $1 in
            --now) now=yes ;;
            --again) again=yes ;;
            --wait)
                [[ ${2:-} =~ ^[0-9]+$ ]] || fail 2 "--wait needs a number of seconds; see ./deploy.sh --help."
                wait_s=$2
                shift
                ;;
            -h | --help)
                usage
                exit 0
                ;;
            -*) fail 2 "unknown argument $1; see ./deploy.sh --help." ;;
            *)
                [[ -z $ref ]] || fail 2 "one release at a time, not $ref and $1; see ./deploy.sh --help."
                ref=$1
                ;;
        esac
        shift
    done
}

ctl() { timeout --foreground "$change_limit_s" "$bin/supervisorctl" -c supervisord.conf "$@"; }

# supervisorctl's own status is about the program's state, which is what is asked here.
state_of() { ctl status "$1" | awk 'NR == 1 { print $2 }' || true; }

pid_of() { ctl pid "$1" 2>/dev/null | tail -n 1 || true; }

commit_of() { git rev-parse --quiet --verify "$1^{commit}"; }

check_before() {
    step "Looking at what is there"
    [[ -x $bin/standup ]] || fail 69 "StandupBot is not installed here; run ./setup.sh first."
    mkdir -p data
    exec 9>"$lock"
    flock --nonblock 9 || fail 75 "another deployment is going on; wait for its end and run ./deploy.sh again."
    [[ -z $(git status --porcelain --untracked-files=no) ]] ||
        fail 65 "there are uncommitted changes, which no way back would keep; commit or stash them (git status)."
    local answer
    answer=$(ctl pid 2>&1 | tail -n 1 || true)
    [[ $answer =~ ^[0-9]+$ ]] ||
        fail 69 "supervisord does not run; start it with $bin/supervisord -c supervisord.conf instead."
}

# Sets target and former: the commits to bring into service and to go back to.
find_releases() {
    origin=$(git symbolic-ref --quiet --short HEAD || git rev-parse HEAD)
    local here
    here=$(git rev-parse HEAD)
    if [[ -n $ref ]] && ! commit_of "$ref" >/dev/null; then
        say "   $ref is not known here, fetching"
        timeout --foreground "$call_limit_s" git fetch --quiet --tags || true
        commit_of "$ref" >/dev/null || fail 2 "there is no release $ref, here or at the remote; see git tag and git log."
    fi
    target=$(commit_of "${ref:-HEAD}")
    # After a `git pull`, what is checked out is not yet what is in service.
    former=$here
    if [[ -f $release_file ]] && commit_of "$(<"$release_file")" >/dev/null; then former=$(<"$release_file"); fi
    say "   in service: $(title "$former")"
    say "   to come:    $(title "$target")"
}

title() { git log -1 --format='%h %s' "$1"; }

# What a program that runs was started with: the release and the settings.
fingerprint() { printf '%s %s' "$1" "$( (sha256sum .env 2>/dev/null || echo none) | cut -c 1-16)"; }

# switch_to COMMIT NAME FROM: check COMMIT out, by NAME where that is the same, and install what it needs.
switch_to() {
    if [[ $(git rev-parse HEAD) != "$1" ]]; then
        local name=$1
        [[ $(commit_of "$2") != "$1" ]] || name=$2
        git checkout --quiet "$name" -- || return 1
    fi
    if ! git diff --quiet "$3" "$1" -- "${installed_by[@]}"; then
        say "   its requirements differ, installing"
        ./setup.sh || return 1
    fi
}

# Print what the doctor finds wrong; the status is the doctor's.
examine() {
    local status=0
    timeout --foreground "$call_limit_s" "$bin/standup" doctor >"$log" 2>&1 || status=$?
    grep -E '^✗' "$log" | sed 's/^/   /' || true
    if ((status != 0 && status != 78)); then tail -n 3 "$log" | sed 's/^/   /'; fi
    return "$status"
}

install_logrotate() {
    local folder wanted installed=$logrotate_dir/standupbot
    folder=$("$bin/python" -c 'from standup.settings import load; print(load().log_dir.absolute())') || return 1
    wanted=$(sed -e "s|@LOG_DIR@|$folder|g" -e "s|@USER@|$(stat -c %U .)|" -e "s|@GROUP@|$(stat -c %G .)|" \
        deploy/logrotate.standupbot) || return 1
    if [[ -f $installed && $(<"$installed") == "$wanted" ]]; then
        say "   $installed is up to date"
        return
    fi
    local as_root=()
    [[ -w $logrotate_dir ]] || as_root=(sudo --non-interactive)
    # Another owner or a wider mode would have logrotate refuse the file.
    if printf '%s\n' "$wanted" | "${as_root[@]}" install -m 644 /dev/stdin "$installed" 2>/dev/null; then
        say "   $installed is written"
    else
        printf '%s\n' "$wanted" >data/logrotate.standupbot
        say "   ! $logrotate_dir is root's. Next: sudo install -m 644 data/logrotate.standupbot $installed"
    fi
}

# The programs in the order of their restart; redis is left alone.
ordered_programs() {
    local every first last='monitor recorder'
    every=$(ctl avail | awk '{ print $1 }' | sed 's/.*://' | grep -vx redis)
    first=$(grep '^worker-' <<<"$every" || true)
    printf '%s\n' "$first" "$(grep -vxE 'worker-.*|monitor|recorder' <<<"$every" || true)"
    local program
    for program in $last; do grep -x "$program" <<<"$every" || true; done
}

# Restart a program with what is checked out; a changed section of supervisord.conf takes effect.
replace() {
    local changes
    changes=$(ctl update "$1") || return 1
    # What is stopped first ends with its own warm shutdown: supervisord waits for it.
    [[ $changes == *"process group"* ]] || ctl restart "$1" >/dev/null || return 1
}

comes_up() {
    local deadline=$((SECONDS + up_limit_s)) state
    while :; do
        state=$(state_of "$1")
        if [[ $state == RUNNING ]] && is_at_work "$1"; then return 0; fi
        [[ $state == RUNNING || $state == STARTING ]] || break
        ((SECONDS < deadline)) || break
        sleep 0.5
    done
    say "   ✗ $1 is ${state:-gone} and not at work; its last lines:"
    tail -n 5 "logs/$1.out" 2>/dev/null | sed 's/^/     /' || true
    return 1
}

# A worker answers through the broker; of the others is asked that they stay.
is_at_work() {
    local pid
    pid=$(pid_of "$1")
    case $1 in
        worker-*) "$bin/celery" -A standup.celery inspect ping --timeout 3 -d "$1@$(uname -n)" >/dev/null 2>&1 ;;
        *) sleep "$settle_s" ;;
    esac && [[ $(pid_of "$1") == "$pid" ]]
}

note_restart() {
    local kept
    kept=$(grep -v "^$1 " "$restarts_file" 2>/dev/null || true)
    printf '%s\n' "$kept" "$1 $(fingerprint "$2")" | sed '/^$/d' >"$restarts_file.new"
    mv "$restarts_file.new" "$restarts_file"
}

is_in_service() {
    [[ $again == no && $(state_of "$1") == RUNNING ]] &&
        grep -qxF "$1 $(fingerprint "$target")" "$restarts_file" 2>/dev/null
}

# Restart one program and verify it.
bring_up() {
    local program=$1 before
    before=$(state_of "$program")
    before_of[$program]=$before
    step "Restarting $program"
    touched+=("$program")
    if ! { replace "$program" && comes_up "$program"; }; then
        if [[ $before == RUNNING ]]; then
            roll_back "$program does not run with the new release"
        fi
        say "   ! $program did not run before either (${before:-new}). Next: $bin/supervisorctl -c supervisord.conf status"
        return
    fi
    examine || roll_back "the doctor is not content after the restart of $program"
    pids[$program]=$(pid_of "$program")
    note_restart "$program" "$target"
    say "   ✓ $program runs, pid ${pids[$program]}"
}

wait_for_meetings() {
    [[ $now == no ]] || return 0
    local status=0
    say "   waiting up to $wait_s s for the end of a meeting"
    "$bin/standup" idle --wait "$wait_s" | sed 's/^/   /' || status=$?
    if ((status == 75)); then
        trap - ERR INT TERM
        say "Everything but the recorder runs $(title "$target")."
        printf 'deploy.sh: %s\n' "a meeting is still being recorded; run ./deploy.sh again later, or with --now." >&2
        exit 75
    fi
    return "$status"
}

restart_all() {
    ctl reread >/dev/null
    local program programs
    programs=$(ordered_programs)
    for program in $programs; do
        if is_in_service "$program"; then
            say "== $program runs this release already"
            [[ $former == "$target" ]] || touched+=("$program") # the way back has to take it along
            pids[$program]=$(pid_of "$program")
            continue
        fi
        [[ $program != recorder ]] || wait_for_meetings
        bring_up "$program"
    done
}

# A program that fell over after it had come up has another pid by now.
check_after() {
    step "Looking at all of them once more"
    local program
    for program in "${!pids[@]}"; do
        [[ $(pid_of "$program") == "${pids[$program]}" && $(state_of "$program") == RUNNING ]] ||
            roll_back "$program did not stay up"
    done
    examine || roll_back "the doctor is not content"
}

# A program that only the failed release had is gone on the way back.
is_gone_or_up() { [[ $(state_of "$1") == ERROR ]] || comes_up "$1"; }

# roll_back REASON [STATUS]: put the former release back into service and end with STATUS (1).
roll_back() {
    trap - ERR
    trap '' INT TERM
    set +e
    printf 'deploy.sh: %s; going back.\n' "$1" >&2
    local failed=() program
    step "Going back to $(title "$former")"
    switch_to "$former" "$origin" "$target" || failed+=("checking out $former")
    for program in "${touched[@]}"; do
        say "   restarting $program"
        if replace "$program" && is_gone_or_up "$program"; then
            note_restart "$program" "$former"
        elif [[ -n ${pids[$program]:-} || ${before_of[$program]:-} == RUNNING ]]; then
            failed+=("$program")
        fi
    done
    if ((${#failed[@]})); then
        printf 'deploy.sh: %s\n' "the way back failed too (${failed[*]}); read the lines above and act now." >&2
        exit 70
    fi
    say "✓ $(title "$former") is back in service."
    exit "${2:-1}"
}

on_error() {
    local status=$1 line=$2
    ((BASH_SUBSHELL == 0)) || exit "$status"
    local reason="the step \"$step_name\" failed in line $line with status $status"
    [[ $changing == yes ]] || fail 1 "$reason; read the lines above. Nothing was changed."
    roll_back "$reason"
}
step_name="reading the arguments" changing=no touched=()
declare -A pids=() before_of=()
trap 'on_error "$?" "$LINENO"' ERR

main() {
    read_arguments "$@"
    check_before
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    find_releases
    # Kept from the first deployment on: one that ended early must still know what to go back to.
    [[ -f $release_file ]] || printf '%s\n' "$former" >"$release_file"
    changing=yes
    trap 'roll_back "it was interrupted" 130' INT TERM
    step "Checking out $(title "$target")"
    switch_to "$target" "${ref:-HEAD}" "$former"
    step "standup doctor"
    examine || roll_back "the doctor found what would stop a meeting" 78
    step "standup migrate"
    timeout --foreground "$change_limit_s" "$bin/standup" migrate | sed 's/^/   /'
    step "Rotation of the logs"
    install_logrotate
    restart_all
    check_after
    printf '%s\n' "$target" >"$release_file"
    say "✓ $(title "$target") is in service."
}

main "$@"
