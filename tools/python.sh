#!/bin/sh
# Run Python with these arguments, by the first interpreter that is new enough.
# With none at all, the scripts that look for the rest cannot run: install Python where that may be done, or say how.
set -eu

start() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 /opt/homebrew/bin/python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            exec "$candidate" "$@"
        fi
    done
}

newest_by_apt() {
    apt-cache pkgnames python3.1 2>/dev/null | grep -xE 'python3\.1[1-9]' | sort -V | tail -n 1 | grep . || echo python3
}

install_by_apt() {
    if [ "$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi
    $as_root true 2>/dev/null || return 1
    echo "Python 3.11 or newer is missing; installing it by apt."
    $as_root apt-get update -q
    python=$(newest_by_apt)
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$python" "$python-venv"
}

start "$@"
browser=chromium
case ",${SEATPORT_WITHOUT:-}," in *,browser,*) browser= ;; esac

if command -v apt-get >/dev/null 2>&1; then
    if install_by_apt </dev/null >&2; then start "$@"; fi
    python=$(newest_by_apt)
    wanted="$python $python-venv libpangoft2-1.0-0 libharfbuzz-subset0 $browser"
    advice="sudo apt-get update && sudo apt-get install --no-install-recommends $wanted"
elif command -v dnf >/dev/null 2>&1; then
    advice="sudo dnf install python3 pango harfbuzz $browser"
else
    advice="brew install python@3.13 pango harfbuzz${browser:+ && brew install --cask google-chrome}"
fi
echo "Python 3.11 or newer is missing. Run this, then make again:" >&2
echo "  $advice" >&2
exit 1
