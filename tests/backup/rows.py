"""The rows of one school in all services, so that two installations can be compared."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from uuid import UUID

import asyncpg

ANEW: Mapping[str, Mapping[str, str]] = {
    # What differs on purpose when a school comes alone, by table, and how each column is compared all the same.
    "outbox": {"ordinal": "0", "position": "0", "published_at": "true"},
    "parked_record": {"ordinal": "0"},
    "processed": {"processed_at": "true"},
    "access_change": {"ordinal": "0", "position": "0"},
    "held_message": {"place": "0"},
    "translation_request": {"due_at": "due_at is null"},
    "delivery": {
        "due_at": "true",
        "state": "case state when 'sending' then 'dead' else state end",
        "reason": "case state when 'sending' then 'gave-up' else reason end",
        "holder": "case when state not in ('sending', 'dead') then holder end",
        "claimed_until": "case when state not in ('sending', 'dead') then claimed_until end",
    },
}


def rows_of(
    urls: Mapping[str, str], school: UUID, changed: Mapping[str, Mapping[str, str]] = ANEW
) -> dict[str, Counter[str]]:
    """Every row of a school in every table of every service, as text. `urls` are those of the roles that read all."""

    async def read() -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for service, url in urls.items():
            connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
            for table in await connection.fetch(
                "select table_name as name from information_schema.columns join pg_tables on tablename = table_name"
                " where table_schema = 'public' and column_name = 'school_id'"
            ):
                name = table["name"]
                how = changed.get(name, {})
                more = "".join(f" || jsonb_build_object('{column}', {sql})" for column, sql in how.items())
                rows = await connection.fetch(
                    f"select (to_jsonb(t){more})::text as row from {name} t where school_id = $1", school
                )
                found[f"{service}.{name}"] = Counter(row["row"] for row in rows)
            await connection.close()
        return found

    return asyncio.run(read())
