#!/usr/bin/env bash
# Install everything StandupBot needs on Debian 12+ or Ubuntu 22.04+: Debian packages, .venv, pinned Python packages.
# Safe to run again: what is already there is left alone.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# Each with what it is for; docs/environment_spec.md shows them.
readonly apt_packages=(
    python3-venv    # making .venv
    nodejs          # web assets; npm runs on it
    ffmpeg          # sound formats of exports and imports
    portaudio19-dev # microphones of `standup record`
    libopus0        # Opus for the loopback Discord and for `standup record`
    libsndfile1     # sound files
    redis-server    # broker
    flite           # the demo's voices
    opus-tools      # checking tracks by hand
    logrotate       # a week of logs
)
# Where there is no sound server yet.
readonly sound_packages=(
    pulseaudio         # sound server for `standup record`
    pulseaudio-utils   # its command line, for looking at microphones by hand
    libasound2-plugins # lets ALSA's programs reach it
)
# With --dev, where no program of that name is there already.
readonly dev_packages=(
    chromium # draws the documents' diagrams; chromium-browser or google-chrome do as well
    npm      # installs what tests/documents/package-lock.json names
)
readonly web_folder=tests/documents
readonly apt_limit_s=1200 pip_limit_s=3600 npm_limit_s=600
readonly oldest_python=3.10
readonly venv=.venv
readonly version_of='import sys; print(sys.version)'
readonly stamp=$venv/.standup-ready
network_words='Temporary failure|Could not resolve|Could not connect|Unable to connect|Network is unreachable'
network_words+='|NameResolutionError|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError'
network_words+='|Connection refused|Connection timed out|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT'
readonly network_words

usage() {
    cat <<EOF
Usage: ./setup.sh [--demo] [--dev] [--no-apt] [--python PATH] [--help]

Installs StandupBot into .venv beside this file, in this order: apt update, apt packages, .venv, pip upgrade,
pip install -r requirements.txt -c constraints.txt, the \`standup\` command, git's hooks. May be run again at any time:
apt is skipped when nothing is missing, pip when requirements, constraints, pyproject and Python are unchanged.

  --demo         afterwards run \`standup demo\`: one whole standup on this machine, with no account and no internet
  --dev          also what developing needs: ${dev_packages[*]} (where no such program is there) and, by npm,
                 what $web_folder/package-lock.json names; ./test.sh and .ci/run ask for it
  --no-apt       leave the system's packages alone (they are: ${apt_packages[*]};
                 without PipeWire also ${sound_packages[*]})
  --python PATH  the Python for .venv, $oldest_python or newer (also: \$PYTHON; otherwise the existing .venv, then python3)
  --help         print this

Runs as root, through sudo, or as a user who may use sudo. Under sudo, .venv belongs to the user who called it.
A machine without an NVIDIA GPU saves several GB with the CPU build of torch: give pip its index in PIP_EXTRA_INDEX_URL.

Exit status: 0 ready · 1 a step failed (the last line on stderr names it) · 2 wrong usage · 69 no package source
could be reached · 77 apt needs root · 78 this system or its Python is not supported; with --demo, that of the demo.
EOF
}

step_name="reading the arguments"

say() { printf '%s\n' "$*"; }

# step NUMBER TEXT: say which step comes; a skipped pair of steps has both numbers.
step() {
    step_name=$2
    say "[$1/$steps] $2"
}

# fail STATUS SENTENCE...: one sentence on stderr that says what is wrong and what to do next.
fail() {
    trap - ERR
    printf 'setup.sh: %s\n' "${*:2}" >&2
    exit "$1"
}

on_error() {
    local status=$1 line=$2
    ((BASH_SUBSHELL == 0)) || exit "$status"
    fail 1 "the step \"$step_name\" failed in line $line with status $status;" \
        "read the lines above, put right what they name, and run ./setup.sh again."
}
trap 'on_error "$?" "$LINENO"' ERR

read_arguments() {
    demo=no apt=yes steps=7 python=${PYTHON:-}
    while (($#)); do
        case $1 in
            --demo) demo=yes ;;
            --dev) steps=8 ;;
            --no-apt) apt=no ;;
            --python)
                (($# > 1)) || fail 2 "--python needs the path of a Python; see ./setup.sh --help."
                python=$2
                shift
                ;;
            -h | --help)
                usage
                exit 0
                ;;
            *) fail 2 "unknown argument $1; see ./setup.sh --help." ;;
        esac
        shift
    done
}

# Decide who runs what: apt as root, everything else as the owner of the checkout when sudo was only for apt.
choose_users() {
    as_root=() as_owner=()
    if ((EUID != 0)); then
        as_root=(sudo)
    elif [[ ${SUDO_UID:-0} != 0 && $(stat -c %u .) == "${SUDO_UID:-0}" ]]; then
        local home
        home=$(getent passwd "$SUDO_UID" | cut -d: -f6)
        as_owner=(setpriv "--reuid=$SUDO_UID" "--regid=${SUDO_GID:-$SUDO_UID}" --init-groups env "HOME=${home:-/tmp}")
        [[ ! -d $venv ]] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$venv"
    fi
}

is_installed() {
    # shellcheck disable=SC2016  # the ${...} is dpkg-query's own
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

is_for_developing() { ((steps == 8)); }

has_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null

missing_packages() {
    local package packages=("${apt_packages[@]}")
    # PipeWire is a sound server too, and installing PulseAudio beside it would push it out.
    is_installed pipewire-pulse || packages+=("${sound_packages[@]}")
    if is_for_developing; then
        has_browser || packages+=(chromium)
        command -v npm >/dev/null || packages+=(npm)
    fi
    for package in "${packages[@]}"; do
        is_installed "$package" || printf '%s\n' "$package"
    done
}

apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive timeout --foreground "$apt_limit_s" \
        apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@" 2>&1 | tee -a "$log"
}

install_packages() {
    if [[ $apt == no ]]; then
        step 1-2 "Debian packages: left alone (--no-apt)"
        return
    fi
    step_name="Debian packages"
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        fail 78 "this system has no apt; setup.sh knows Debian 12+ and Ubuntu 22.04+." \
            "Install ${apt_packages[*]} (or what they are called here) by hand and run ./setup.sh --no-apt."
    fi
    local missing
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)); then
        step 1-2 "Debian packages: nothing is missing, apt is skipped"
        return
    fi
    if ((EUID != 0)) && ! command -v sudo >/dev/null; then
        fail 77 "apt needs root to install ${missing[*]}, and sudo is not here;" \
            "run ./setup.sh as root, or install them and run ./setup.sh --no-apt."
    fi
    # A single broken third-party source fails the update but need not stop the install, which is the real test.
    step 1 "Debian packages: apt update"
    apt_get update || say "      apt update had errors; trying with the package lists at hand"
    leave_out_chromium
    step 2 "Debian packages: installing ${missing[*]}"
    : >"$log"
    apt_get install -y --no-install-recommends "${missing[@]}" || explain_apt "${missing[*]}"
}

# Ubuntu has Chromium as a snap only, and nothing but the drawing of diagrams needs it.
leave_out_chromium() {
    local package kept=()
    for package in "${missing[@]}"; do
        if [[ $package == chromium ]] && ! apt-cache show chromium >/dev/null 2>&1; then
            say "      apt has no chromium here; for drawing diagrams install a browser by hand (snap install chromium)"
        else
            kept+=("$package")
        fi
    done
    missing=("${kept[@]}")
}

explain_apt() {
    if grep -qE "$network_words" "$log"; then
        fail 69 "apt could not reach its package sources; check the network or the proxy and run ./setup.sh again."
    fi
    fail 1 "apt could not install $1; read apt's lines above, put right what they name, and run ./setup.sh again."
}

is_new_enough() {
    "$1" -c "import sys; sys.exit(sys.version_info < (${oldest_python/./, }))" 2>/dev/null
}

choose_python() {
    if [[ -z $python ]]; then
        python=python3
        ! is_usable_venv || python=$venv/bin/python
    fi
    command -v "$python" >/dev/null ||
        fail 78 "no Python at $python; install python3 ($oldest_python or newer) or name one with --python PATH."
    is_new_enough "$python" ||
        fail 78 "$python is $("$python" --version 2>&1 || true), StandupBot needs Python $oldest_python or newer;" \
            "install one and name it with ./setup.sh --python PATH."
}

# The stamp names what the packages in .venv were installed for; a moved checkout or another Python is another one.
fingerprint() {
    pwd -P
    "$1" -c "$version_of"
    sha256sum requirements.txt constraints.txt pyproject.toml
}

# Its interpreter runs, and the stamp, where there is one, was written here: scripts in a moved .venv point elsewhere.
is_usable_venv() {
    is_new_enough "$venv/bin/python" && [[ ! -f $stamp || $(head -n 1 "$stamp") == "$(pwd -P)" ]]
}

is_venv_of() {
    is_usable_venv && [[ $("$1" -c "$version_of") == "$("$venv/bin/python" -c "$version_of")" ]]
}

make_venv() {
    step 3 "Python environment: $venv"
    if [[ -d $venv && ! -f $venv/pyvenv.cfg ]]; then
        fail 1 "$venv is not a Python environment; move it away and run ./setup.sh again."
    fi
    choose_python
    if is_venv_of "$python"; then
        say "      kept, $("$venv/bin/python" --version)"
        return
    fi
    if [[ -d $venv ]]; then
        say "      made for another place or another Python, making it anew"
        rm -rf "$venv"
    fi
    "${as_owner[@]}" "$python" -m venv "$venv" || {
        rm -rf "$venv"
        fail 1 "$python could not make $venv; install python3-venv for it and run ./setup.sh again."
    }
    say "      made, $("$venv/bin/python" --version)"
}

pip_install() {
    "${as_owner[@]}" timeout --foreground "$pip_limit_s" "$venv/bin/python" -m pip install \
        --no-input --disable-pip-version-check "${pip_output[@]}" --log "$venv/pip.log" "$@" || explain_pip "$*"
}

explain_pip() {
    if grep -qE "$network_words" "$venv/pip.log" 2>/dev/null; then
        fail 69 "pip could not reach its package index; check the network or the proxy and run ./setup.sh again."
    fi
    fail 1 "\"pip install $1\" failed; read pip's lines above (all of them: $venv/pip.log)," \
        "put right what they name, and run ./setup.sh again."
}

install_python_packages() {
    local wanted
    wanted=$(fingerprint "$venv/bin/python")
    if [[ -f $stamp && $(<"$stamp") == "$wanted" && -x $venv/bin/standup ]]; then
        step 4-6 "Python packages: nothing has changed, pip is skipped"
        return
    fi
    export PIP_RETRIES=${PIP_RETRIES:-3} PIP_DEFAULT_TIMEOUT=${PIP_DEFAULT_TIMEOUT:-30}
    # On a terminal pip shows its progress; in a log it would be hundreds of lines.
    pip_output=()
    [[ -t 1 ]] || pip_output=(--quiet --progress-bar off)
    rm -f "$stamp" "$venv/pip.log"
    step 4 "Python packages: upgrading pip"
    pip_install --upgrade pip
    step 5 "Python packages: requirements.txt as pinned in constraints.txt (takes minutes the first time)"
    pip_install -r requirements.txt -c constraints.txt
    step 6 "Python packages: the standup command"
    # setuptools warns of every editable installation that a folder may hide it; here it is the same folder.
    PYTHONWARNINGS="ignore:Editable installation" pip_install --no-deps -e .
    # Kept for whoever reads a failure; after success it is tens of megabytes of nothing.
    rm -f "$venv/pip.log"
    # Written last, so that whatever is interrupted above is done again next time.
    printf '%s\n' "$wanted" | "${as_owner[@]}" tee "$stamp" >/dev/null
}

in_checkout() { "${as_owner[@]}" git "$@" 2>/dev/null; }

has_hooks() {
    local hook
    for hook in pre-commit commit-msg; do grep -qsF "$PWD/$venv/bin/" "$1/$hook" || return 1; done
}

# Hooks are for whoever commits here; whatever hinders them hinders no installation.
install_hooks() {
    local common
    if [[ $(in_checkout rev-parse --show-toplevel || true) != "$(pwd -P)" ]]; then
        step 7 "Git hooks: left alone, this is no git checkout of its own"
    elif [[ -n $(in_checkout config core.hooksPath || true) ]]; then
        step 7 "Git hooks: left alone, core.hooksPath leads to others"
    elif common=$(in_checkout rev-parse --git-common-dir) && [[ $common != .git ]]; then
        step 7 "Git hooks: left alone, this worktree has those of $(dirname "$common")"
    elif has_hooks .git/hooks; then
        step 7 "Git hooks: kept"
    elif "${as_owner[@]}" "$venv/bin/pre-commit" install --allow-missing-config >"$log" 2>&1; then
        step 7 "Git hooks: installed by pre-commit, for commits and their messages"
    else
        step 7 "Git hooks: not installed, commits go unchecked; pre-commit says: $(tail -n 1 "$log")"
    fi
}

# supervisord opens its own log file, and in the foreground every other, with the umask of whoever starts it.
close_logs() { [[ ! -d logs ]] || "${as_owner[@]}" chmod 700 logs; }

install_web_packages() {
    local lock=$web_folder/package-lock.json installed=$web_folder/node_modules/.standup-ready wanted
    if [[ ! -f $lock ]]; then
        step 8 "Web packages: none, there is no $lock"
        return
    fi
    wanted=$(sha256sum "$lock")
    if [[ -f $installed && $(<"$installed") == "$wanted" ]]; then
        step 8 "Web packages: nothing has changed, npm is skipped"
        return
    fi
    step 8 "Web packages: what $lock names"
    command -v npm >/dev/null || fail 1 "npm is not here; install npm, or run ./setup.sh --dev without --no-apt."
    "${as_owner[@]}" timeout --foreground "$npm_limit_s" npm ci --prefix "$web_folder" \
        --ignore-scripts --no-audit --no-fund >"$log" 2>&1 || explain_npm
    printf '%s\n' "$wanted" | "${as_owner[@]}" tee "$installed" >/dev/null
}

explain_npm() {
    tail -n 20 "$log"
    if grep -qE "$network_words" "$log"; then
        fail 69 "npm could not reach its registry; check the network or the proxy and run ./setup.sh --dev again."
    fi
    fail 1 "npm could not install what $web_folder/package-lock.json names; read npm's lines above," \
        "put right what they name, and run ./setup.sh --dev again."
}

main() {
    read_arguments "$@"
    choose_users
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    install_packages
    make_venv
    install_python_packages
    install_hooks
    close_logs
    ! is_for_developing || install_web_packages
    step_name="checking the standup command"
    [[ -x $venv/bin/standup ]]
    say "Ready: $venv/bin/standup (try \`$venv/bin/standup demo\`, then \`$venv/bin/standup --help\`)."
    if [[ $demo == yes ]]; then
        rm -f "$log"
        exec "${as_owner[@]}" "$venv/bin/standup" demo
    fi
}

main "$@"
