"""Statements that write the values they are given, named as the columns; for what admins change."""

from collections.abc import Collection
from typing import LiteralString

from psycopg.sql import SQL, Composed, Identifier, Placeholder


def insert(table: str, values: Collection[str], *, returning: LiteralString = "") -> Composed:
    """``INSERT`` of one row."""
    places = SQL(", ").join(map(Placeholder, values))
    statement = SQL("INSERT INTO {} ({}) VALUES ({})").format(Identifier(table), _list(values), places)
    return statement + _returning_clause(returning)


def upsert(table: str, key: Collection[str], values: Collection[str]) -> Composed:
    """``INSERT`` of one row; where there is one with this key, its other columns are set."""
    fresh = SQL(", ").join(SQL("{0} = EXCLUDED.{0}").format(Identifier(name)) for name in values if name not in key)
    return insert(table, values) + SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(_list(key), fresh)


def update(table: str, values: Collection[str], where: LiteralString, *, returning: LiteralString = "") -> Composed:
    """``UPDATE`` of the rows for which ``where`` holds."""
    fresh = SQL(", ").join(SQL("{} = {}").format(Identifier(name), Placeholder(name)) for name in values)
    return SQL("UPDATE {} SET {} WHERE ").format(Identifier(table), fresh) + SQL(where) + _returning_clause(returning)


def _returning_clause(columns: LiteralString) -> SQL:
    return SQL(" RETURNING " + columns if columns else "")


def _list(names: Collection[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))
