"""What vendors' rules need: costs, what works for an address, messages that carry several notices."""

from importlib import resources

from tortoise.migrations.migration import Migration as BaseMigration
from tortoise.migrations.operations import RunSQL


class Migration(BaseMigration):
    """Adds what the SQL file beside this one says; a service of the version before goes on beside it."""

    dependencies = [("core", "m0001_first")]  # noqa: RUF012
    operations = [RunSQL(resources.files(__package__).joinpath("schema_0002.sql").read_text("utf-8"))]  # noqa: RUF012
