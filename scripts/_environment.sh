# Sourced by scripts/test and scripts/demo: makes .venv and installs embedscope into it.
#
# prepare_environment NAME ARGUMENTS...
#     Installs with `pip install ARGUMENTS` unless that was done before for this pyproject.toml.
#     NAME separates the installs of the two callers, which share one environment.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=$root/.venv/bin/python

say() { printf '== %s\n' "$*" >&2; }

# The first Python on this machine that embedscope supports.
find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
            2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "embedscope needs Python 3.11, 3.12 or 3.13; none was found. Install one, then try again."
    return 1
}

# Debian has the module that puts pip into a new environment in a separate package.
install_venv_module() {
    local package
    package=python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "$1 cannot make virtual environments. Install $package (or python3-venv), then try again."
        return 1
    fi
    say "Installing the system package $package"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
}

# The Debian packages for windows and browsers, unless all commands in the arguments exist.
install_system_packages() {
    local wanted
    for wanted in "$@"; do
        if ! command -v "$wanted" >/dev/null; then break; fi
        wanted=
    done
    if [ -z "$wanted" ] && ldconfig -p | grep -q libxcb-icccm; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "Not found, and not installed without apt-get or root rights: $*"
        return
    fi
    say "Installing the system packages for $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        xvfb xauth chromium fonts-dejavu-core libgl1 libegl1 libopengl0 libgl1-mesa-dri \
        libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 \
        libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 \
        libxcb-shape0 libxcb-xinerama0 libxcb-xkb1 >/dev/null
}

make_environment() {
    local base
    base=$(find_python)
    "$base" -c 'import ensurepip, venv' 2>/dev/null || install_venv_module "$base"
    say "Making .venv with $("$base" --version)"
    rm -rf "$root/.venv"
    "$base" -m venv "$root/.venv"
}

# uv takes seconds instead of minutes; without it, pip is used. As in pip, uv trusts the certificates
# of this machine, so that it works behind a company's proxy, and compiles bytecode: to compile
# TensorFlow's sources takes half a minute, in each process that cannot store bytecode.
install() {
    if "$python" -m pip install --quiet --disable-pip-version-check uv &&
        UV_SYSTEM_CERTS=true "$python" -m uv pip install --quiet --compile-bytecode \
            --python "$python" "$@"; then
        return
    fi
    say "uv failed; trying pip"
    "$python" -m pip install --quiet --upgrade 'pip>=25.1' && # the first that knows --group
        "$python" -m pip install --quiet "$@"
}

prepare_environment() {
    local stamp=$root/.venv/.installed-for-$1 wanted
    shift
    wanted="$* $(sha256sum <"$root/pyproject.toml")"
    if "$python" -c '' 2>/dev/null && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    if ! "$python" -m pip --version >/dev/null 2>&1; then make_environment; fi
    say "Installing embedscope and its dependencies into .venv (minutes the first time)"
    (cd "$root" && install "$@")
    printf '%s' "$wanted" >"$stamp"
}
