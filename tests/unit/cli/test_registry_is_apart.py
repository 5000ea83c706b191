"""A run knows nothing of the model registry: MLflow takes seconds to import, and a server that is down stops nobody."""

import subprocess
import sys

PROGRAM = """
import sys
import cli.__main__, cli.run, cli.session, cli.live, training.prepare, deployments.served
import outcry.adapters.registry.models, cli.registry_session, cli.promotion
wrong = [name for name in sys.modules if name.partition(".")[0] in {"mlflow", "sqlalchemy", "alembic"}]
print(",".join(wrong))
"""


def test_nothing_that_is_imported_imports_mlflow():
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert told.strip() == ""
