"""What platforms, customers and operators need: renewed keys, a delivery log, the console, a record of deeds."""

from importlib import resources

from tortoise.migrations.migration import Migration as BaseMigration
from tortoise.migrations.operations import RunSQL


class Migration(BaseMigration):
    """Adds what the SQL file beside this one says; a service of the version before goes on beside it."""

    dependencies = [("core", "m0003_in_every_place")]  # noqa: RUF012
    operations = [RunSQL(resources.files(__package__).joinpath("schema_0004.sql").read_text("utf-8"))]  # noqa: RUF012
