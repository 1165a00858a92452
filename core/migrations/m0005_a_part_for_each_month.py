"""Events, messages, attempts and the inbox in parts, one for each month."""

from tortoise.migrations.migration import Migration as BaseMigration
from tortoise.migrations.operations import RunPython
from tortoise.migrations.schema_editor import BaseSchemaEditor

from core.clock import real_now
from core.migrating import in_blocks


async def _make_ahead(_: object, editor: BaseSchemaEditor) -> None:
    from core.partitions import make_ahead  # it needs the alarms, and those the schema

    async with editor.client.acquire_connection() as connection:
        await make_ahead(connection, now=real_now())


class Migration(BaseMigration):
    """A service of the version before goes on beside it: every step is its own, and gives up rather than wait."""

    atomic = False
    dependencies = [("core", "m0004_nobody_left_not_knowing")]
    operations = [RunPython(in_blocks(5), atomic=False), RunPython(_make_ahead, atomic=False)]
