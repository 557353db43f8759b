"""Makes the AWS package in dist/ and tries it: `chalice package` with Python 3.12+, size, imports, no warnings.

Lambda's Python 3.11 has too old a glibc for numpy's wheels, so the package is made with a newer Python than the
code needs; only the standard library may be imported here. `--which` only tells which Python would be used.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parent.parent
VENV = ROOT / ".venv-package"
DIST = ROOT / "dist"
STAGE = os.environ.get("STAGE", "prod")
# AWS takes 50 MB of zip; the rest is room for a dependency to grow.
ZIP_LIMIT_MB = 45
# Newest first is not best first: a Python that Lambda has had for long comes first.
PYTHONS = ("3.12", "3.13")


def main() -> None:
    python = find_python()
    if python is None:
        fail(
            f"needs Python {' or '.join(PYTHONS)}, and found neither on PATH nor with pyenv; "
            "install one (pyenv install 3.12) or name it: make package PACKAGE_PYTHON=/path/to/python3.12"
        )
    if "--which" in sys.argv[1:]:
        say(f"would use {python}")
        return
    say(f"packaging stage {STAGE} with {python}")
    chalice = make_venv(python)
    shutil.rmtree(DIST, ignore_errors=True)
    make_package(chalice)
    name_functions(DIST / "sam.json")
    size_mb = (DIST / "deployment.zip").stat().st_size / 1e6
    if size_mb >= ZIP_LIMIT_MB:
        fail(f"dist/deployment.zip has {size_mb:.1f} MB and must have less than {ZIP_LIMIT_MB} MB")
    try_imports(VENV / "bin" / "python")
    say(f"dist/sam.json and dist/deployment.zip ({size_mb:.1f} MB) are ready")


def find_python(variable: str = "PACKAGE_PYTHON", versions: tuple[str, ...] = PYTHONS) -> str | None:
    """What the variable names, or the first of the versions on PATH or in pyenv that really runs."""
    named = os.environ.get(variable)
    if named:
        return named if version_of(named) in versions else None
    for version in versions:
        pyenv = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*"))
        for candidate in [f"python{version}", *(str(path / "bin" / "python") for path in reversed(pyenv))]:
            if version_of(candidate) == version:
                return candidate
    return None


def version_of(python: str) -> str | None:
    try:
        told = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
        )
    except OSError:
        return None
    return told.stdout.strip() if told.returncode == 0 else None


def make_venv(python: str) -> Path:
    """A virtual environment with Chalice, kept while its versions are the wanted ones; answers its chalice."""
    wanted = [line for line in (ROOT / "requirements-dev.txt").read_text().splitlines() if _is_tool(line)]
    wanted += [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:1].isalpha()]
    stamp = VENV / ".installed"
    mark = "\n".join([python, *wanted])
    if not stamp.exists() or stamp.read_text() != mark:
        say("setting up .venv-package")
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([python, "-m", "venv", VENV], check=True)
        subprocess.run(
            [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
            check=True,
        )
        stamp.write_text(mark)
    return VENV / "bin" / "chalice"


def _is_tool(line: str) -> bool:
    return line.startswith(("chalice==", "boto3=="))


def make_package(chalice: Path) -> None:
    """Runs `chalice package`; a dependency that it could not install is only a warning to it and an error to us."""
    environ = {**os.environ, "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1")}
    told = subprocess.run(
        [chalice, "package", "--stage", STAGE, "--pkg-format", "cloudformation", DIST],
        cwd=ROOT, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    output = told.stdout + told.stderr
    if told.returncode != 0 or "Could not install dependencies" in output:
        fail(f"chalice package failed:\n{output}")


def name_functions(path: Path) -> None:
    """Names the functions as `chalice deploy` would: in the package they have none, and alarms know them by name."""
    template = json.loads(path.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            function = resource["Properties"]["Handler"].removeprefix("app.")
            # The one behind the REST API has the app's own name.
            name = f"sluice-{STAGE}" if function == "app" else f"sluice-{STAGE}-{function}"
            resource["Properties"]["FunctionName"] = name
    path.write_text(json.dumps(template, indent=2) + "\n")


def try_imports(python: Path) -> None:
    """Imports the compiled dependencies and the app from the unpacked zip, and from nothing else but boto3."""
    code = (
        "import sys, pathlib; root = pathlib.Path(sys.argv[1]); sys.path.insert(0, str(root))\n"
        "import app, argon2, jsonschema, jwt, msgspec, numpy, psycopg2\n"
        "for module in (app, argon2, jsonschema, jwt, msgspec, numpy, psycopg2):\n"
        "    assert root in pathlib.Path(module.__file__).parents, module\n"
        "assert numpy.arange(3).sum() == 3\n"
        "print(f'numpy {numpy.__version__} and psycopg2 {psycopg2.__version__} import from the package')\n"
    )
    environ = {"PATH": os.environ["PATH"], "STAGE": STAGE, "AWS_DEFAULT_REGION": "us-east-1"}
    with tempfile.TemporaryDirectory() as unpacked:
        with zipfile.ZipFile(DIST / "deployment.zip") as archive:
            archive.extractall(unpacked)
        # -I: neither the current folder nor PYTHONPATH may help.
        told = subprocess.run([python, "-I", "-c", code, unpacked], env=environ, capture_output=True, text=True)
    if told.returncode != 0:
        fail(f"the unpacked package does not import:\n{told.stderr}")
    say(told.stdout.strip())


def say(text: str) -> None:
    print(f"package: {text}", flush=True)


def fail(text: str) -> NoReturn:
    sys.exit(f"package: {text}")


if __name__ == "__main__":
    main()
