#!/usr/bin/env bash
# Check everything: lint, format, types, tests. Environments and missing Debian packages are set up first.
#   ./test.sh [--fast] [arguments of pytest]
#   ./test.sh --screenshots [FOLDER]
# --fast leaves out the tests that run installers and uploaders (clients) or a real browser (browser).
# --screenshots checks nothing: it takes pictures of every page of the web interface into FOLDER (screenshots/), as
# <page>-<who>-<width>-<scheme>.png, with an index.html that shows them side by side.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$0")"
. ./scripts/environment.sh

fast=no
if [[ "${1:-}" == --fast ]]; then
    fast=yes
    shift
fi

# Programs that tests run, as command:package.
needed=(htpasswd:apache2-utils slapd:slapd ldapadd:ldap-utils)

install_packages() {
    local pair missing=()
    for pair in "${needed[@]}"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    if ((${#missing[@]} == 0)); then
        return
    fi
    if [[ "$(id -u)" != 0 ]] || ! command -v apt-get >/dev/null; then
        fail "The tests need ${missing[*]}: run 'sudo apt-get update && sudo apt-get install ${missing[*]}' (or your" \
            "system's way to install them)"
    fi
    say "Installing ${missing[*]} ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

stage() {
    local name=$1
    shift
    say "== $name"
    "$@" || fail "== $name failed"
}

prepare_environment .venv-test requirements-test.txt
runs=.venv-test/bin/python
if [[ "${1:-}" == --screenshots ]]; then
    needed=(chromium:chromium)
    install_packages
    exec "$runs" -m tests.web.screenshots "${2:-screenshots}"
fi
selection=()
if [[ $fast == yes ]]; then
    selection=(-m "not clients and not browser")
else
    prepare_environment .venv-clients requirements-clients.txt
    needed+=(chromium:chromium nginx:nginx)
fi
install_packages
stage "ruff check" "$runs" -m ruff check .
stage "ruff format" "$runs" -m ruff format --check .
stage "mypy" "$runs" -m mypy .
# The + form: bash 4.3 and older, such as that of macOS, take an empty list for one that is not set.
stage "pytest" "$runs" -m pytest -n 2 ${selection[@]+"${selection[@]}"} "$@"
