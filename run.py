#!/usr/bin/env python3
"""One command sets everything up: `python3 run.py studio` opens the studio, `python3 run.py test` passes the tests.

Needs only Python 3.11 or newer, with pip. Makes `.venv` beside this file, installs the pinned requirements into it when
they have changed, and starts the program in that environment.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def install(requirements: list[str], stamp_name: str) -> None:
    """Install into the environment, unless the same list was installed before, as the file `stamp_name` there says."""
    stamp = ENVIRONMENT / stamp_name
    wanted = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not PYTHON.exists():
        print(f"Making {ENVIRONMENT} ...", flush=True)
        venv.create(ENVIRONMENT, with_pip=True)
    print("Installing the requirements; this takes a few minutes the first time ...", flush=True)
    # torch first: packages that depend on it then keep this version instead of installing another
    requirements = sorted(requirements, key=lambda name: not name.startswith("torch=="))
    for batch in (requirements[:1], requirements):
        subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *batch], check=True)
    stamp.write_text(wanted)


def runtime_requirements() -> list[str]:
    lines = (line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return [line for line in lines if line]


def dev_requirements() -> list[str]:
    import tomllib  # new in 3.11; imported here so that an older Python can still say that it is too old

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["optional-dependencies"]["dev"]


def find_chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def missing_programs() -> list[str]:
    """What the tests need beside Python, by the names of Debian's packages: a browser, and ffprobe for the clips."""
    found = {"chromium": find_chromium(), "ffmpeg": shutil.which("ffprobe")}
    return [name for name, program in found.items() if program is None]


def install_programs() -> None:
    """Install what the tests need and is not there with apt-get, where that may be done."""
    missing = missing_programs()
    if missing and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print(f"Installing {' and '.join(missing)} for the tests ...", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *missing]):
            subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def hand_over(arguments: list[str]) -> int:
    """Replace this process by the environment's Python: Ctrl+C and SIGTERM then reach the program itself."""
    os.chdir(ROOT)
    if os.name == "nt":  # whose shell would not wait for a process that replaced this one
        return subprocess.run([PYTHON, *arguments]).returncode
    os.execv(PYTHON, [str(PYTHON), *arguments])


def main() -> int:
    if sys.version_info < (3, 11):
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"Python {version} is too old; Mirage Studio needs 3.11 or newer. Install it and run this again.")
        return 1
    what, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("help", [])
    if what == "studio":
        install(runtime_requirements(), "runtime.stamp")
        return hand_over(["app.py", *rest])
    if what == "test":
        install(runtime_requirements(), "runtime.stamp")
        install(dev_requirements(), "dev.stamp")
        install_programs()
        if missing := missing_programs():
            print(
                f"The tests need {' and '.join(missing)}: install it (or set CHROMIUM to a browser's path), run again."
            )
            return 1
        os.environ["CHROMIUM"] = find_chromium()
        return hand_over(["-m", "pytest", *rest])
    print("Usage: python3 run.py studio | python3 run.py test [pytest options]")
    return 0 if what in ("help", "-h", "--help") else 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"This step failed: {' '.join(map(str, error.cmd))}. Its message is above.")
    except KeyboardInterrupt:
        sys.exit(130)
