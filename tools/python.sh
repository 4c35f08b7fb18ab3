#!/bin/sh
# Run Python with these arguments, by the first interpreter that is new enough.
# With none at all, the scripts that look for the rest cannot run: install Python where that may be done, or say how.
set -eu

for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 /opt/homebrew/bin/python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        exec "$candidate" "$@"
    fi
done

browser=chromium
case ",${SEATPORT_WITHOUT:-}," in *,browser,*) browser= ;; esac

if command -v apt-get >/dev/null 2>&1; then
    python=$(apt-cache pkgnames python3.1 | grep -xE 'python3\.1[1-9]' | sort -V | tail -n 1 || true)
    python=${python:-python3.11}
    if [ "$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi
    if [ -z "${SEATPORT_PYTHON_TRIED:-}" ] && $as_root true 2>/dev/null; then
        echo "Python 3.11 or newer is missing; installing $python by apt." >&2
        $as_root apt-get update -q >&2
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$python" "$python-venv" >&2
        SEATPORT_PYTHON_TRIED=yes PYTHON=$python exec sh "$0" "$@"
    fi
    advice="sudo apt-get install --no-install-recommends $python $python-venv libpangoft2-1.0-0 libharfbuzz-subset0 $browser"
elif command -v dnf >/dev/null 2>&1; then
    advice="sudo dnf install python3 pango harfbuzz $browser"
else
    advice="brew install python@3.13 pango${browser:+ && brew install --cask google-chrome}"
fi
echo "Python 3.11 or newer is missing. Nothing was changed. Run this, then make again:" >&2
echo "  $advice" >&2
exit 1
