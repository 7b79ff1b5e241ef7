"""The first version of the store: reviews, their samples, and the decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    "reviews", "strata", "samples", "records", "openings", "decisions", "approvals",
)  # fmt: skip

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables, and the triggers that keep their rows as they were written."""
    _create_reviews()
    _create_records()
    _create_decisions()
    if op.get_bind().dialect.name == "sqlite":
        _protect_in_sqlite()
    else:
        _protect_in_postgresql()


def _number(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, _ROW_NUMBER, primary_key=True, autoincrement=True)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _create_reviews() -> None:
    op.create_table(
        "reviews",
        _number(),
        _text("name", 200),
        _text("alias", 80),
        _text("request_reference", 200),
        _text("request_hash", 64),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("column_name", sa.Text, nullable=False),
        _text("strata_by", 80),
        sa.Column("criterion", sa.Text, nullable=False),
        _text("seed", 200),
        _text("generation", 255),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("second_share", sa.Float, nullable=False),
        _text("created_at", 20),
        _text("created_by", 255),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.UniqueConstraint("name", name="uq_reviews_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "strata",
        sa.Column("review_id", _ROW_NUMBER, nullable=False),
        _text("name", 200),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("population", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("review_id", "name", name="pk_strata"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_strata_reviews"),
    )
    op.create_table(
        "samples",
        _number(),
        sa.Column("review_id", _ROW_NUMBER, nullable=False),
        _text("stratum", 200),
        sa.Column("size", sa.Integer, nullable=False),
        _text("set_at", 20),
        _text("set_by", 255),
        sa.PrimaryKeyConstraint("id", name="pk_samples"),
        sa.ForeignKeyConstraint(
            ["review_id", "stratum"], ["strata.review_id", "strata.name"],
            name="fk_samples_strata",
        ),
        sqlite_autoincrement=True,
    )  # fmt: skip


def _create_records() -> None:
    op.create_table(
        "records",
        sa.Column("review_id", _ROW_NUMBER, nullable=False),
        _text("reference", 200),
        _text("stratum", 200),
        sa.Column("position", sa.Integer, nullable=False),
        _text("content_hash", 64),
        sa.Column("second_reading", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("review_id", "reference", name="pk_records"),
        sa.ForeignKeyConstraint(
            ["review_id", "stratum"], ["strata.review_id", "strata.name"],
            name="fk_records_strata",
        ),
        sa.UniqueConstraint(
            "review_id", "stratum", "position", name="uq_records_review_id_stratum_position"
        ),
    )  # fmt: skip
    op.create_table(
        "claims",
        sa.Column("review_id", _ROW_NUMBER, nullable=False),
        _text("reference", 200),
        sa.Column("reading", sa.SmallInteger, nullable=False),
        _text("reviewer", 255),
        _text("lapses_at", 20),
        sa.PrimaryKeyConstraint("review_id", "reference", "reading", name="pk_claims"),
        _make_record_key("claims"),
    )


def _make_record_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["review_id", "reference"], ["records.review_id", "records.reference"],
        name=f"fk_{table}_records",
    )  # fmt: skip


def _create_decisions() -> None:
    op.create_table(
        "openings",
        _number(),
        sa.Column("review_id", _ROW_NUMBER, nullable=False),
        _text("reference", 200),
        sa.Column("reading", sa.SmallInteger, nullable=False),
        _text("reviewer", 255),
        _text("opened_at", 20),
        sa.PrimaryKeyConstraint("id", name="pk_openings"),
        _make_record_key("openings"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_openings_review_id_reference", "openings", ["review_id", "reference"])
    op.create_table(
        "decisions",
        _number(),
        sa.Column("review_id", _ROW_NUMBER, nullable=False),
        _text("reference", 200),
        sa.Column("reading", sa.SmallInteger, nullable=False),
        _text("verdict", 20),
        _text("reviewer", 255),
        _text("decided_at", 20),
        _text("content_hash", 64),
        sa.Column("seconds", sa.Integer, nullable=True),
        _text("batch", 32),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        _make_record_key("decisions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_review_id_reference", "decisions", ["review_id", "reference"])
    op.create_table(
        "approvals",
        _number(),
        _text("reference", 200),
        _text("content_hash", 64),
        sa.Column("is_approved", sa.Boolean, nullable=False),
        _text("request_reference", 200),
        _text("approved_by", 255),
        _text("approved_at", 20),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_approvals_reference_content_hash", "approvals", ["reference", "content_hash"]
    )


def _protect_in_sqlite() -> None:
    for table in _APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table}: rows are only added'); END"
            )


def _protect_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%: rows are only added', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
