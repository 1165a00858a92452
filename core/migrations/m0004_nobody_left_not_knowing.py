"""What platforms, customers and operators need: renewed keys, a delivery log, the console, a record of deeds."""

from tortoise.migrations.migration import Migration as BaseMigration
from tortoise.migrations.operations import RunPython

from core.migrating import in_one


class Migration(BaseMigration):
    """Adds what the SQL file beside this one says; a service of the version before goes on beside it."""

    atomic = False  # a transaction of its own, begun again for as long as it does not get its locks
    dependencies = [("core", "m0003_in_every_place")]
    operations = [RunPython(in_one(4), atomic=False)]
