"""The app as CloudFormation: a zip of code only, and Chalice's own package template beside it.

Runs as a child process (`python -m localstack.bundle ROOT OUT [STAGE]`), because it imports the app and replaces a
step of Chalice. The pip step is what is replaced: the emulator runs functions under this interpreter, which has the
packages. With `--package` for the stage nothing is replaced.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

STAGE = "local"
CODE = "code.zip"
TEMPLATE = "sam.json"


def write_bundle(root: Path, out: Path, stage: str = STAGE) -> None:
    """Write `code.zip` and `sam.json` of the app in `root` to the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    code = out / CODE
    write_code(root, code)
    _write_template(root, out, code, stage)


def write_code(root: Path, code: Path) -> None:
    """Write the app's code, and the part of Chalice that it runs on, to the zip `code`."""
    import chalice

    framework = Path(chalice.__file__).parent
    with zipfile.ZipFile(code, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
        bundle.write(root / "app.py", "app.py")
        for path in sorted((root / "chalicelib").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                bundle.write(path, path.relative_to(root))
        # all of Chalice that its own packager puts into a function
        for name in ("__init__.py", "app.py"):
            bundle.write(framework / name, f"chalice/{name}")


def _write_template(root: Path, out: Path, code: Path, stage: str) -> None:
    from chalice import package
    from chalice.awsclient import TypedAWSClient
    from chalice.cli.factory import CLIFactory
    from chalice.deploy import packager

    # setattr: the type checker rightly frowns on replacing a method
    setattr(packager.LambdaDeploymentPackager, "create_deployment_package", lambda *_, **__: str(code))  # noqa: B010
    # the app reads its stage's variables while it is imported
    factory = CLIFactory(str(root), environ=os.environ)
    config = factory.create_config_obj(stage)
    options = package.PackageOptions(TypedAWSClient(factory.create_botocore_session()))
    package.create_app_packager(config, options, "cloudformation", "json").package_app(config, str(out), stage)


def write_package(root: Path, out: Path) -> None:
    """Write the same as `make package` makes it, with all that Lambda's own images lack."""
    made = subprocess.run([sys.executable, str(root / "infra" / "package.py")], env={**os.environ, "STAGE": STAGE})
    if made.returncode != 0:
        sys.exit(made.returncode)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / "dist" / "deployment.zip", out / CODE)
    shutil.copy(root / "dist" / "sam.json", out / TEMPLATE)


if __name__ == "__main__":
    if sys.argv[3:] == ["--package"]:
        write_package(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        write_bundle(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
