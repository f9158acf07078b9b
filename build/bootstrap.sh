#!/bin/sh
# Installs the npm packages of package-lock.json when they are missing or older than it. Any Node with npm will do:
# the packages bring the Node that runs everything after this.
set -eu
cd "$(dirname "$0")/.."

# npm writes this file last, so it is missing after an interrupted installation.
installed=node_modules/.package-lock.json
if [ -f "$installed" ] && [ -z "$(find package-lock.json -newer "$installed")" ]; then
	exit 0
fi

echo 'installing the npm packages'
# Not `npm ci`: it refuses a lock file without the packages for other platforms, which not every registry has.
if ! npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2; then
	echo 'installing the npm packages with "npm install": see above; is the npm registry reachable?' >&2
	exit 1
fi
touch "$installed"
if ! node_modules/.bin/node --version >/dev/null 2>&1; then
	echo "running node_modules/.bin/node: no Node for $(uname -sm) among the npm packages; Linux on x64 and arm64 is built" >&2
	exit 1
fi
