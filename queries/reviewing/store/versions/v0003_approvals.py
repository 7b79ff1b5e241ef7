"""The third version of the store: what an approval of a text was given for, and what it hides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns to the table of approvals, which nothing wrote before."""
    columns = (
        ("alias", sa.String(80)),
        ("question", sa.String(200)),
        ("shown_hash", sa.String(64)),
        ("hidden", sa.Text),
    )
    for name, kind in columns:
        op.add_column("approvals", sa.Column(name, kind, nullable=False, server_default=""))
