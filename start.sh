#!/bin/sh
# Start the server, with everything it needs in .venv. Arguments go to server.py, for example:
#   ./start.sh --host 0.0.0.0 --port 8080 --auth
# The server runs in this folder, so ./packages and ./pypi.conf are those beside this file. PYTHON names the Python to use.
# WITH_EXTRAS=1 installs what signing in with OpenID or LDAP and verifying attestations need, too.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"
. ./scripts/environment.sh
requirements=requirements.txt
[ -z "${WITH_EXTRAS:-}" ] || requirements=requirements-extras.txt
prepare_environment .venv "$requirements"
exec .venv/bin/python server.py "$@"
