"""The first schema."""

from importlib import resources

from tortoise.migrations.migration import Migration as BaseMigration
from tortoise.migrations.operations import RunSQL


class Migration(BaseMigration):
    """Creates every table from the SQL file beside this one."""

    initial = True
    operations = [RunSQL(resources.files(__package__).joinpath("schema_0001.sql").read_text("utf-8"))]  # noqa: RUF012
