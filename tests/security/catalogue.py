"""What every service database must look like, read from PostgreSQL's own catalogue: row security, keys, roles, retention."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg

ACROSS_SCHOOLS = {"lease", "outbox_head", "bus_offset", "limit_counter", "feed_state"}
"""Infrastructure tables that belong to no school."""

UNIQUE_ACROSS_SCHOOLS = {"outbox_in_order", "access_change_in_order"}
"""Unique indexes that order what no school can see."""

THE_RECORD = {"audit_entry", "audit_head", "audit_anchor"}
"""All that the reading role may see."""

_RETENTION = re.compile(r"retention: [^;]+; legal hold: (yes|no)")
_NO_TENANT = re.compile(r"tenant: none, because \w")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be."""

    rule: str
    object: str

    def __str__(self) -> str:
        return f"{self.object}: {self.rule}"


async def findings(connection: asyncpg.Connection, service: str) -> list[Finding]:
    """Everything wrong in one database."""
    found: list[Finding] = []
    for check in (_tables, _keys, _functions, _views):
        found += [finding async for finding in check(connection)]
    return found + [finding async for finding in _roles(connection, service)]


async def _tables(connection: asyncpg.Connection):
    rows = await connection.fetch(
        """
        select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced, c.relkind,
          coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
          exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'school_id' and not a.attisdropped) as tenant,
          (select count(*) from pg_policy p where p.polrelid = c.oid and p.polroles = '{0}' and p.polcmd = '*'
             and pg_get_expr(p.polqual, p.polrelid) like '%current_setting(''bookbag.school''%'
             and pg_get_expr(p.polwithcheck, p.polrelid) like '%current_setting(''bookbag.school''%') as policies
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname not like '%\\_version'
        """
    )
    for row in rows:
        name, comment = row["name"], row["comment"]
        if not _RETENTION.search(comment):
            yield Finding("says no retention rule in its comment", name)
        if row["tenant"] and not _NO_TENANT.search(comment):
            if not (row["enabled"] and row["forced"]):
                yield Finding("row security is not enabled and forced", name)
            if row["policies"] != 1:
                yield Finding("has no policy that keeps to the school, for reading and writing", name)
        elif not row["tenant"] and name not in ACROSS_SCHOOLS and not _NO_TENANT.search(comment):
            yield Finding("has no school_id and does not say why", name)


async def _keys(connection: asyncpg.Connection):
    rows = await connection.fetch(
        """
        select i.indexrelid::regclass::text as index, i.indrelid::regclass::text as name, i.indisprimary,
          (select a.attname from pg_attribute a where a.attrelid = i.indrelid and a.attnum = i.indkey[0]) as first,
          exists (select from pg_attribute a where a.attrelid = i.indrelid and a.attname = 'school_id')
            and coalesce(obj_description(c.oid, 'pg_class'), '') not like '%tenant: none, because%' as tenant
        from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and i.indisunique and c.relkind in ('r', 'p')
        """
    )
    for row in rows:
        if row["tenant"] and row["first"] != "school_id" and row["index"] not in UNIQUE_ACROSS_SCHOOLS:
            yield Finding(f"unique key {row['index']} does not begin with school_id", row["name"])
    rows = await connection.fetch(
        """
        select k.conname, k.conrelid::regclass::text as name,
          (select a.attname from pg_attribute a where a.attrelid = k.conrelid and a.attnum = k.conkey[1]) as first,
          exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'school_id') as to_tenant
        from pg_constraint k join pg_namespace n on n.oid = k.connamespace where k.contype = 'f' and n.nspname = 'public'
        """
    )
    for row in rows:
        if row["to_tenant"] and row["first"] != "school_id":
            yield Finding(f"foreign key {row['conname']} does not begin with school_id", row["name"])


async def _functions(connection: asyncpg.Connection):
    rows = await connection.fetch(
        """
        select p.proname as name, coalesce(array_to_string(p.proconfig, ','), '') as config,
          has_function_privilege('public', p.oid, 'execute') as for_all
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public' and p.prosecdef
        """
    )
    for row in rows:
        if "search_path=" not in row["config"]:
            yield Finding("runs with its owner's rights and has no fixed search_path", row["name"])
        if row["for_all"]:
            yield Finding("runs with its owner's rights and may be called by everybody", row["name"])


async def _views(connection: asyncpg.Connection):
    rows = await connection.fetch(
        "select c.relname as name, c.relkind, coalesce(array_to_string(c.reloptions, ','), '') as options from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('v', 'm')"
    )
    for row in rows:
        if row["relkind"] == b"m" or "security_invoker=true" not in row["options"]:
            yield Finding("a view that does not run with the reader's rights", row["name"])


async def _roles(connection: asyncpg.Connection, service: str):
    for role in ("app", "worker", "reader"):
        name = f"bookbag_{service}_{role}"
        row = await connection.fetchrow("select * from pg_roles where rolname = $1", name)
        if row is None or row["rolsuper"] or row["rolbypassrls"] or row["rolcreaterole"] or row["rolcreatedb"]:
            yield Finding("is missing or has rights over everything", name)
        owned = await connection.fetchval(
            "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = $1", name
        )
        if owned:
            yield Finding("owns tables although it serves requests", name)
        if await connection.fetchval("select has_schema_privilege($1, 'public', 'create')", name):
            yield Finding("may create tables although it serves requests", name)
        truncating = await connection.fetch(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'"
            " and c.relkind in ('r', 'p') and has_table_privilege($1, c.oid, 'truncate')",
            name,
        )
        for row in truncating:
            yield Finding(f"may truncate {row['relname']}", name)
    reader = f"bookbag_{service}_reader"
    more = await connection.fetch(
        "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')"
        " and (has_any_column_privilege($1, c.oid, 'select, insert, update') or has_table_privilege($1, c.oid, 'delete'))"
        " and (c.relname <> all($2) or has_any_column_privilege($1, c.oid, 'insert, update')"
        "   or has_table_privilege($1, c.oid, 'delete'))",
        reader,
        sorted(THE_RECORD),
    )
    for row in more:
        yield Finding(f"reads more than the record, or changes it: {row['relname']}", reader)


def rules(found: list[Finding]) -> Iterator[str]:
    return (str(finding) for finding in found)
