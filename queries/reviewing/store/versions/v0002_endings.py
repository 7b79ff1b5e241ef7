"""The second version: which records a review is of, second readings that were ended, and the last
decision before a sample was set, which no clock can move."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the columns and the table, and protect its rows as those of the first version."""
    op.add_column(
        "reviews",
        sa.Column("records_kind", sa.String(40), nullable=False, server_default="mentions"),
    )
    op.add_column("samples", sa.Column("last_decision", _ROW_NUMBER, nullable=True))
    op.create_table(
        "endings",
        sa.Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
        sa.Column("review_id", _ROW_NUMBER, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ended_at", sa.String(20), nullable=False),
        sa.Column("ended_by", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_endings"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_endings_reviews"),
        sa.UniqueConstraint("review_id", name="uq_endings_review_id"),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER endings_no_{change.lower()} BEFORE {change} ON endings "
                "BEGIN SELECT RAISE(ABORT, 'endings: rows are only added'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER endings_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON endings "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
