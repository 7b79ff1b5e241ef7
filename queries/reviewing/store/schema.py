"""The tables of the store. No text of a record, no name of a person in one, no hash of a name.

Rows of all tables but ``claims`` are never changed or removed: triggers refuse it. ``claims``, who
is reading what at the moment, come and go. Times are UTC, ISO 8601, to the second.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

#: SQLite numbers rows by itself only for a column of exactly this type.
_ROW_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

_RECORD: Final = ("records.review_id", "records.reference")

REVIEWS: Final = Table(
    "reviews",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("alias", String(80), nullable=False),
    Column("request_reference", String(200), nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("request", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("column_name", Text, nullable=False),
    Column("strata_by", String(80), nullable=False),
    Column("criterion", Text, nullable=False),
    Column("seed", String(200), nullable=False),
    Column("generation", String(255), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("second_share", Float, nullable=False),
    Column("created_at", String(20), nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("records_kind", String(40), nullable=False, server_default="mentions"),
    sqlite_autoincrement=True,
)

STRATA: Final = Table(
    "strata",
    METADATA,
    Column("review_id", ForeignKey("reviews.id"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("population", Integer, nullable=False),
)

SAMPLES: Final = Table(
    "samples",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("review_id", _ROW_NUMBER, nullable=False),
    Column("stratum", String(200), nullable=False),
    Column("size", Integer, nullable=False),
    Column("set_at", String(20), nullable=False),
    Column("set_by", String(255), nullable=False),
    Column("last_decision", _ROW_NUMBER),
    ForeignKeyConstraint(("review_id", "stratum"), ("strata.review_id", "strata.name")),
    sqlite_autoincrement=True,
)

RECORDS: Final = Table(
    "records",
    METADATA,
    Column("review_id", _ROW_NUMBER, primary_key=True),
    Column("reference", String(200), primary_key=True),
    Column("stratum", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("second_reading", Boolean, nullable=False),
    ForeignKeyConstraint(("review_id", "stratum"), ("strata.review_id", "strata.name")),
    UniqueConstraint("review_id", "stratum", "position"),
)

CLAIMS: Final = Table(
    "claims",
    METADATA,
    Column("review_id", _ROW_NUMBER, primary_key=True),
    Column("reference", String(200), primary_key=True),
    Column("reading", SmallInteger, primary_key=True),
    Column("reviewer", String(255), nullable=False),
    Column("lapses_at", String(20), nullable=False),
    ForeignKeyConstraint(("review_id", "reference"), _RECORD),
)

OPENINGS: Final = Table(
    "openings",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("review_id", _ROW_NUMBER, nullable=False),
    Column("reference", String(200), nullable=False),
    Column("reading", SmallInteger, nullable=False),
    Column("reviewer", String(255), nullable=False),
    Column("opened_at", String(20), nullable=False),
    ForeignKeyConstraint(("review_id", "reference"), _RECORD),
    Index(None, "review_id", "reference"),
    sqlite_autoincrement=True,
)

DECISIONS: Final = Table(
    "decisions",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("review_id", _ROW_NUMBER, nullable=False),
    Column("reference", String(200), nullable=False),
    Column("reading", SmallInteger, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("reviewer", String(255), nullable=False),
    Column("decided_at", String(20), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("seconds", Integer),
    Column("batch", String(32), nullable=False),
    ForeignKeyConstraint(("review_id", "reference"), _RECORD),
    Index(None, "review_id", "reference"),
    sqlite_autoincrement=True,
)

ENDINGS: Final = Table(
    "endings",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("review_id", ForeignKey("reviews.id"), nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("ended_at", String(20), nullable=False),
    Column("ended_by", String(255), nullable=False),
    sqlite_autoincrement=True,
)

APPROVALS: Final = Table(
    "approvals",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("reference", String(200), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("is_approved", Boolean, nullable=False),
    Column("request_reference", String(200), nullable=False),
    Column("approved_by", String(255), nullable=False),
    Column("approved_at", String(20), nullable=False),
    Column("alias", String(80), nullable=False, server_default=""),
    Column("question", String(200), nullable=False, server_default=""),
    Column("shown_hash", String(64), nullable=False, server_default=""),
    Column("hidden", Text, nullable=False, server_default=""),
    Index(None, "reference", "content_hash"),
    sqlite_autoincrement=True,
)

#: The tables to which rows are only added.
APPEND_ONLY: Final = tuple(
    table.name
    for table in (REVIEWS, STRATA, SAMPLES, RECORDS, OPENINGS, DECISIONS, ENDINGS, APPROVALS)
)
