"""Add up the births and deaths that the returns tell, by round and area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import create_full

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.scope import Scope


def build_vitals(connection: Connection, _scope: Scope) -> None:
    """Make TEMP TABLE `full_vital`: births and deaths since the round before, for every round and area.

    An area's figure is the sum over the counted returns that tell it, and null where none does: a question nobody
    answered is not 0.
    """
    create_full(
        connection,
        "vital",
        """
        WITH told AS (
            SELECT r.round_number, u.pcode, sum(v.births_persons)::BIGINT AS births,
                sum(v.deaths_persons)::BIGINT AS deaths
            FROM vital v JOIN scope_return r USING (submission_id) JOIN scope_rollup u USING (area_pcode)
            WHERE r.is_used GROUP BY ALL
        )
        SELECT n.round_number, a.level, a.pcode, e.event,
            CASE e.event WHEN 'births' THEN t.births ELSE t.deaths END AS value, 'observed' AS method
        FROM scope_round n CROSS JOIN scope_area a CROSS JOIN (VALUES ('births'), ('deaths')) e(event)
        LEFT JOIN told t ON t.round_number = n.round_number AND t.pcode = a.pcode
        ORDER BY ALL
        """,
    )
