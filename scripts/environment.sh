# Functions of start.sh and test.sh, which source this file: a virtual environment that holds what a requirements file
# pins. Plain POSIX sh; needs nothing but a Python.

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Print a Python of at least 3.11: $PYTHON where it is set, else the newest that is found.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON is '$PYTHON', which is no Python 3.11 or newer; name another one."
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
        if is_new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "No Python 3.11 or newer was found; install one, or set PYTHON to where it is."
}

# make_environment PYTHON FOLDER
make_environment() {
    if ! "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        # Debian and Ubuntu keep these modules in a package of their own.
        fail "Python $version cannot make virtual environments here; install them first: apt-get install python$version-venv"
    fi
    say "Making $2 with $1 ..."
    rm -rf "$2"
    "$1" -m venv "$2"
    printf '%s\n' "${PYTHON:-}" >"$2/made-with"
}

# prepare_environment FOLDER REQUIREMENTS: make FOLDER hold what REQUIREMENTS pins. Quick where it does already: the copy
# of the requirements in FOLDER is written last, so it is there and equal only after an installation that succeeded.
prepare_environment() {
    stamp="$1/requirements-installed"
    other=no
    if [ -n "${PYTHON:-}" ] && [ "$(cat "$1/made-with" 2>/dev/null)" != "$PYTHON" ]; then
        other=yes
    elif [ -x "$1/bin/python" ] && cmp -s "$2" "$stamp"; then
        return
    fi
    if [ $other = yes ] || ! is_new_enough "$1/bin/python" || ! "$1/bin/python" -m pip --version >/dev/null 2>&1; then
        python=$(find_python)
        make_environment "$python" "$1"
    fi
    rm -f "$stamp"
    printf '*\n' >"$1/.gitignore"
    say "Installing $2 into $1 ..."
    "$1/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --require-hashes -r "$2" ||
        fail "Installing $2 failed, as said above; once that is put right, run this again."
    cp "$2" "$stamp.new"
    mv "$stamp.new" "$stamp"
}
