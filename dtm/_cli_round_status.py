"""Print the state of a round on the terminal: short, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dtm._cli_common import FINDINGS_SHOWN, err, out, print_table
from dtm.coverage import NO_ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LATE_SHOWN = 15
KHOROOS_SHOWN = 10
DAYS_SHOWN = 7


def print_status(told: Mapping[str, Any]) -> None:
    """Print what `dtm.round_status.round_status` returns."""
    one, coverage = told["round"], told["coverage"]
    expected, received = coverage["units_expected"], coverage["units_received"]
    out.print(
        f"Round {one['number']} of '{one['operation']}': {one['status'].replace('_', ' ')}, {one['started_on']} to "
        f"{one['ended_on']}, areas '{one['area_set']}'",
        markup=False,
    )
    out.print(f"Units: {received:,} of {expected:,} received ({_percent(received, expected)}), ", end="")
    out.print(f"{coverage['returns']:,} returns\n")
    _print_areas(coverage)
    _print_roles(coverage["by_role"])
    _print_days(coverage["by_day"])
    _print_training(coverage["training"])
    _print_late(coverage)
    print_table(
        [{k: row[k] for k in ("severity", "code", "stage", "open", "waived")} for row in told["findings"]],
        title="Findings",
    )
    if told["without_round"]:
        count = sum(row["findings"] for row in told["without_round"])
        out.print(f"Besides, {count} findings belong to no round (boundaries, layers); they don't stand in the way.\n")
    _print_verdict(told)
    print_table(
        [{k: row[k] for k in ("changed_at", "from_status", "to_status", "who", "reason")} for row in told["history"]],
        title="History",
    )


def print_standing(findings: Sequence[Mapping[str, Any]]) -> None:
    """Print the errors that stand, with the names that `dtm round waive` and `dtm clean` take."""
    rows = [
        {
            "finding": finding["finding_id"],
            "code": finding["code"],
            "record": finding["record"] or finding["pcode"],
            "field": finding["field"],
            "what": finding["message_en"],
        }
        for finding in findings[:FINDINGS_SHOWN]
    ]
    print_table(rows, title="Errors that stand")
    if len(findings) > FINDINGS_SHOWN:
        err.print(f"... and {len(findings) - FINDINGS_SHOWN} more; --json lists all.")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _print_areas(coverage: Mapping[str, Any]) -> None:
    def rows(areas: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
        return [
            {
                "P-code": area["pcode"],
                "name": area["name_en"],
                "expected": area["units_expected"],
                "received": area["units_received"],
                "share": _percent(area["units_received"], area["units_expected"]),
                "errors": area["errors_open"],
            }
            for area in areas
        ]

    print_table(rows(coverage["by_district"]), title="By district")
    behind = [
        area for area in coverage["by_khoroo"] if area["units_received"] < area["units_expected"] or area["errors_open"]
    ]
    behind.sort(key=lambda area: (area["units_received"] / max(area["units_expected"], 1), -area["errors_open"]))
    print_table(rows(behind[:KHOROOS_SHOWN]), title="Khoroos with units missing or errors, the furthest behind first")
    if len(behind) > KHOROOS_SHOWN:
        out.print(f"... and {len(behind) - KHOROOS_SHOWN} more; --json lists all.\n")


def _print_roles(rows: Sequence[Mapping[str, Any]]) -> None:
    listed = [
        {
            "role": "not on the list" if row["role"] == NO_ROLE else row["role"].replace("_", " "),
            **{k: v for k, v in row.items() if k != "role"},
        }
        for row in rows
    ]
    print_table(listed, title="By the role of who is responsible")


def _print_days(rows: Sequence[Mapping[str, Any]]) -> None:
    shown = rows[-DAYS_SHOWN:]
    print_table(
        [{**row, "share": _percent(row["cumulative_units"], row["expected_units"])} for row in shown],
        title=f"By day, the last {len(shown)}",
        columns=["day", "returns", "units", "cumulative_units", "share"],
    )


def _print_training(rows: Sequence[Mapping[str, Any]]) -> None:
    print_table(
        [
            {
                "form": row["form"],
                "training": row["training"],
                "returns": row["returns"],
                "share": f"{100 * row['share']:.0f} %",
                "set aside": row["set_aside"],
                "findings": row["findings"],
                "per return": row["findings_per_return"],
            }
            for row in rows
        ],
        title="Quality beside training (trained before the day of collection)",
    )


def _print_late(coverage: Mapping[str, Any]) -> None:
    missing, late = coverage["missing"], coverage["late"]
    if not late:
        out.print(f"Late: none; {len(missing)} units are due by {coverage['due_on']}.\n")
        return
    rows = [
        {
            "unit": unit["unit"],
            "where": f"{unit['district_en']}, {unit['khoroo_en']}, {unit['unit_en']}",
            "set aside": unit["set_aside"],
            "responsible": ", ".join(one["enumerator"] for one in unit["enumerators"]) or "nobody listed",
        }
        for unit in late[:LATE_SHOWN]
    ]
    print_table(rows, title=f"Late since {coverage['due_on']}: {len(late)} units")
    if len(late) > LATE_SHOWN:
        out.print(f"... and {len(late) - LATE_SHOWN} more; --json lists all.\n")


def _print_verdict(told: Mapping[str, Any]) -> None:
    number, status = told["round"]["number"], told["round"]["status"]
    if told["standing"]:
        print_standing(told["standing"])
        out.print(
            f"{len(told['standing'])} errors stand against signing off. Correct them (dtm clean template --round "
            f"{number}) or waive them (dtm round waive --round {number}).\n"
        )
    elif status in ("draft", "cleaning"):
        step = "--sign-off " if status == "cleaning" else ""
        out.print(f"No error stands. Next: dtm round close --round {number} {step}--who NAME\n")
