"""What Telegram, the conversation and the partner's pages need: edits, search, pauses, sheets, sessions."""

from importlib import resources

from tortoise.migrations.migration import Migration as BaseMigration
from tortoise.migrations.operations import RunSQL


class Migration(BaseMigration):
    """Adds what the SQL file beside this one says; a service of the version before goes on beside it."""

    dependencies = [("core", "m0002_told_as_vendors_are")]  # noqa: RUF012
    operations = [RunSQL(resources.files(__package__).joinpath("schema_0003.sql").read_text("utf-8"))]  # noqa: RUF012
