"""`chalice deploy` and `chalice delete` of one stage: python -m infra.chalice_stage STAGE deploy|delete [ZIP].

A child process, under the Python that the functions are to have, since Chalice packages for its own. With a ZIP that is
deployed instead of what Chalice packages: a bundle without dependencies goes to an emulator, which has them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def run(stage: str, command: str, bundle: str = "") -> None:
    """Does it, with what Chalice says on standard output."""
    from chalice.cli.factory import CLIFactory
    from chalice.utils import UI

    if bundle:
        _for_an_emulator(bundle)
    # The app reads its stage's variables while it is imported.
    factory = CLIFactory(str(Path.cwd()), environ=os.environ)
    config: Any = factory.create_config_obj(stage)
    session = factory.create_botocore_session()
    if command == "delete":
        factory.create_deletion_deployer(session=session, ui=UI()).deploy(config, chalice_stage_name=stage)
        return
    deployer = factory.create_default_deployer(session=session, config=config, ui=UI())
    factory.create_deployment_reporter(ui=UI()).display_report(deployer.deploy(config, chalice_stage_name=stage))


def _for_an_emulator(bundle: str) -> None:
    """The zip for Chalice's own, and no five seconds before each look whether a function is there."""
    from botocore.waiter import SingleWaiterConfig
    from chalice.deploy import packager

    begin = SingleWaiterConfig.__init__
    # setattr: the type checker rightly frowns on replacing methods
    setattr(packager.LambdaDeploymentPackager, "create_deployment_package", lambda *_, **__: bundle)  # noqa: B010
    setattr(packager.LambdaDeploymentPackager, "inject_latest_app", lambda *_, **__: None)  # noqa: B010
    setattr(SingleWaiterConfig, "__init__", lambda self, found: begin(self, {**found, "delay": 0.2}))  # noqa: B010


if __name__ == "__main__":
    run(*sys.argv[1:])
