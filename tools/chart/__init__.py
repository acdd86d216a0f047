"""Makes what of the Helm chart follows from the code: the table of processes, the schema of its values, the table in its README."""

from collections.abc import Callable

from tools.chart.page import readme
from tools.chart.schema import schema_file
from tools.chart.table import table_file

CHART = "deploy/helm/bookbag"

PAGES: dict[str, Callable[[], str]] = {
    f"{CHART}/files/processes.yaml": table_file,
    f"{CHART}/values.schema.json": schema_file,
    f"{CHART}/README.md": readme,
}
