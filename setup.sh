#!/usr/bin/env bash
# Install everything StandupBot needs on Debian 12+ or Ubuntu 22.04+: Debian packages, .venv, pinned Python packages.
# Safe to run again: what is already there is left alone.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# redis-server: broker; ffmpeg: sound formats; libopus0: Opus for the loopback Discord; portaudio19-dev and
# libsndfile1: microphones and sound files; flite: the demo's voices; opus-tools: checking tracks;
# logrotate: a week of logs; nodejs: web assets. pulseaudio and what ALSA needs to reach it: `standup record` where
# there is no sound server yet.
readonly apt_packages=(python3-venv nodejs ffmpeg portaudio19-dev libopus0 libsndfile1 redis-server flite opus-tools
    logrotate)
readonly sound_packages=(pulseaudio pulseaudio-utils libasound2-plugins)
readonly apt_limit_s=1200 pip_limit_s=3600
readonly oldest_python=3.10
readonly venv=.venv
readonly version_of='import sys; print(sys.version)'
readonly stamp=$venv/.standup-ready
network_words='Temporary failure|Could not resolve|Could not connect|Unable to connect|Network is unreachable'
network_words+='|NameResolutionError|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError'
network_words+='|Connection refused|Connection timed out'
readonly network_words

usage() {
    cat <<EOF
Usage: ./setup.sh [--demo] [--no-apt] [--python PATH] [--help]

Installs StandupBot into .venv beside this file, in this order: apt update, apt packages, .venv, pip upgrade,
pip install -r requirements.txt -c constraints.txt, the \`standup\` command. May be run again at any time:
apt is skipped when nothing is missing, pip when requirements, constraints, pyproject and Python are unchanged.

  --demo         afterwards run \`standup demo\`: one whole standup on this machine, with no account and no internet
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

step() {
    step_name=$2
    say "[$1/6] $2"
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
    demo=no apt=yes python=${PYTHON:-}
    while (($#)); do
        case $1 in
            --demo) demo=yes ;;
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

missing_packages() {
    local package packages=("${apt_packages[@]}")
    # PipeWire is a sound server too, and installing PulseAudio beside it would push it out.
    is_installed pipewire-pulse || packages+=("${sound_packages[@]}")
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
    step 1 "Debian packages"
    if [[ $apt == no ]]; then
        say "      left alone (--no-apt)"
        return
    fi
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        fail 78 "this system has no apt; setup.sh knows Debian 12+ and Ubuntu 22.04+." \
            "Install ${apt_packages[*]} (or what they are called here) by hand and run ./setup.sh --no-apt."
    fi
    local missing
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)); then
        say "      nothing is missing, apt is skipped"
        return
    fi
    if ((EUID != 0)) && ! command -v sudo >/dev/null; then
        fail 77 "apt needs root to install ${missing[*]}, and sudo is not here;" \
            "run ./setup.sh as root, or install them and run ./setup.sh --no-apt."
    fi
    # A single broken third-party source fails the update but need not stop the install, which is the real test.
    say "      apt update"
    apt_get update || say "      apt update had errors; trying with the package lists at hand"
    step 2 "Debian packages: installing ${missing[*]}"
    : >"$log"
    apt_get install -y --no-install-recommends "${missing[@]}" || explain_apt "${missing[*]}"
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
        step 4 "Python packages: nothing has changed, pip is skipped"
        return
    fi
    export PIP_RETRIES=${PIP_RETRIES:-3} PIP_DEFAULT_TIMEOUT=${PIP_DEFAULT_TIMEOUT:-30}
    # On a terminal pip shows its progress; in a log it would be hundreds of lines.
    pip_output=()
    [[ -t 1 ]] || pip_output=(--quiet)
    rm -f "$stamp" "$venv/pip.log"
    step 4 "Python packages: upgrading pip"
    pip_install --upgrade pip
    step 5 "Python packages: requirements.txt as pinned in constraints.txt (takes minutes the first time)"
    pip_install -r requirements.txt -c constraints.txt
    step 6 "Python packages: the standup command"
    pip_install --no-deps -e .
    # Kept for whoever reads a failure; after success it is tens of megabytes of nothing.
    rm -f "$venv/pip.log"
    # Written last, so that whatever is interrupted above is done again next time.
    printf '%s\n' "$wanted" | "${as_owner[@]}" tee "$stamp" >/dev/null
}

main() {
    read_arguments "$@"
    choose_users
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    install_packages
    make_venv
    install_python_packages
    step_name="checking the standup command"
    [[ -x $venv/bin/standup ]]
    say "Ready: $venv/bin/standup (try \`$venv/bin/standup demo\`, then \`$venv/bin/standup --help\`)."
    if [[ $demo == yes ]]; then
        rm -f "$log"
        exec "${as_owner[@]}" "$venv/bin/standup" demo
    fi
}

main "$@"
