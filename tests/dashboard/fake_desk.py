"""Stand in for the round desk: 2 districts of 2 khoroos with 3 units each, and findings made up by rule."""

# ruff: noqa: ARG002  it takes what the desk takes

from __future__ import annotations

import datetime as dt
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from dtm.errors import OpenErrorsError, UnknownRoundError, WarehouseBusyError
from dtm.messages import message

DISTRICTS = {"MN1101": ("Баянзүрх", "Bayanzurkh"), "MN1107": ("Баянгол", "Bayangol")}
RECEIVED = {"MN110101": 0, "MN110102": 1, "MN110701": 2, "MN110702": 3}
"""Units received of the 3 of each khoroo: none, a third, two thirds, all."""
START = dt.date(2026, 3, 1)
BUSY = message("warehouse_busy", path="city/warehouse.duckdb")
CODES = (("sex_sum", "error", 3), ("gps_conflict", "warning", 130))


class FakeDesk:
    """Answers as `dtm.desk.Desk` does, from memory; `calls` holds what was asked to be changed."""

    def __init__(self, *, rounds: int = 1, received: bool = True) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.busy = False
        self.state = "cleaning"
        self.received = RECEIVED if received else dict.fromkeys(RECEIVED, 0)
        self.numbers = list(range(1, rounds + 1))
        self.history = [{"from_status": None, "to_status": "draft", "reason": None, "who": None,
                         "changed_at": "2026-03-01T08:00:00"}]  # fmt: skip
        self.waived: dict[str, tuple[str, str]] = {}
        found = [
            (f"{code}-{place}", severity, code, place) for code, severity, count in CODES for place in range(count)
        ]
        self.rows = found if received else []

    def _check(self) -> None:
        if self.busy:
            raise WarehouseBusyError(BUSY)

    def rounds(self) -> list[dict[str, Any]]:
        self._check()
        return [
            {"number": n, "started_on": START, "ended_on": dt.date(2026, 3, 14), "status": self.state}
            for n in self.numbers
        ]

    def _counts(self, code: str) -> tuple[int, int]:
        ids = [row[0] for row in self.rows if row[2] == code]
        waived = sum(one in self.waived for one in ids)
        return len(ids) - waived, waived

    def status(self, number: int) -> dict[str, Any]:
        self._check()
        khoroos = [
            {"pcode": pcode, "level": 3, "units_expected": 3, "units_received": count, "errors_open": 0,
             "name_mn": f"{int(pcode[-2:])}-р хороо", "name_en": f"Khoroo {int(pcode[-2:])}"}
            for pcode, count in self.received.items()
        ]  # fmt: skip
        districts = [
            {"pcode": pcode, "level": 2, "name_mn": mn, "name_en": en, "units_expected": 6, "errors_open": 0,
             "units_received": sum(count for code, count in self.received.items() if code.startswith(pcode))}
            for pcode, (mn, en) in DISTRICTS.items()
        ]  # fmt: skip
        total = sum(self.received.values())
        return {
            "round": {"number": number, "started_on": START, "ended_on": dt.date(2026, 3, 14), "status": self.state},
            "coverage": {
                "units_expected": 12,
                "units_received": total,
                "returns": total,
                "by_district": districts,
                "by_khoroo": khoroos,
                "by_role": [{"role": "kheseg_leader", "enumerators": 12, "units_expected": 12,
                             "units_received": total, "returns": total}],
                "by_day": [{"day": START + dt.timedelta(days=day), "returns": total * (day == 1), "units": 0,
                            "cumulative_units": total * (day > 0), "expected_units": 12} for day in range(3)],
                "due_on": dt.date(2026, 3, 14),
                "is_due": True,
                "missing": [self._missing(pcode, unit) for pcode, count in self.received.items()
                            for unit in range(count + 1, 4)],
                "training": [{"training": "trained", "form": "kheseg-baseline", "returns": total, "set_aside": 0,
                              "findings": 0, "errors": 0, "share": 1.0, "findings_per_return": 0.0}] if total else [],
            },
            "findings": [
                {"code": code, "severity": severity, "stage": "import", "open": self._counts(code)[0],
                 "example_en": f"{code} here", "example_mn": f"энд {code}",
                 "waived": self._counts(code)[1]}
                for code, severity, _ in CODES if any(self._counts(code))
            ],
            "history": self.history,
        }  # fmt: skip

    def _missing(self, pcode: str, unit: int) -> dict[str, Any]:
        mn, en = DISTRICTS[pcode[:6]]
        names = {
            "district_mn": mn, "district_en": en, "khoroo_mn": f"{int(pcode[-2:])}-р хороо",
            "khoroo_en": f"Khoroo {int(pcode[-2:])}", "unit_mn": f"{unit}-р хэсэг", "unit_en": f"Kheseg {unit}",
        }  # fmt: skip
        who = {"enumerator": f"e-{pcode[-4:]}-{unit}", "role": "kheseg_leader", "trained_on": None}
        return {"unit": f"{pcode}{unit:02d}", "khoroo": pcode, "set_aside": 0, "enumerators": [who], **names}

    def areas(self, number: int) -> gpd.GeoDataFrame:
        self._check()
        if number not in self.numbers:
            raise UnknownRoundError(message("round_not_there", number=number))
        shapes = [shapely.box(106.9 + 0.1 * i, 47.9, 107.0 + 0.1 * i, 48.0) for i in range(4)]
        return gpd.GeoDataFrame({"pcode": list(RECEIVED)}, geometry=shapes, crs="EPSG:4326")

    def findings(
        self, number: int, *, severity=None, code=None, pcode=None, state="open", offset=0, limit=200
    ) -> tuple[pd.DataFrame, int]:
        self._check()
        chosen = []
        for identity, its_severity, its_code, place in self.rows:
            area = list(RECEIVED)[place % 4]
            its_state = "waived" if identity in self.waived else "open"
            wanted = ((severity, its_severity), (code, its_code), (state, its_state))
            if all(one in (None, own) for one, own in wanted) and (pcode is None or area.startswith(pcode)):
                chosen.append(self._finding(identity, its_severity, its_code, place, area, its_state))
        return pd.DataFrame(chosen[offset : offset + limit]), len(chosen)

    def _finding(self, identity: str, severity: str, code: str, place: int, area: str, state: str) -> dict[str, Any]:
        mn, en = DISTRICTS[area[:6]]
        reason, who = self.waived.get(identity, (None, None))
        return {
            "finding_id": identity, "severity": severity, "code": code, "stage": "import",
            "record": None if place == 7 else f"1:baseline:{place + 2}", "file_name": "returns.csv", "pcode": area,
            "district_mn": mn, "district_en": en, "khoroo_mn": f"{int(area[-2:])}-р хороо",
            "khoroo_en": f"Khoroo {int(area[-2:])}", "instance_id": identity, "field": "male_persons",
            "value": str(100 + place), "message_en": f"Finding {identity}: <b>sums differ</b>.",
            "message_mn": f"Илрүүлэлт {identity}: нийлбэр зөрж байна.", "state": state, "waived_reason": reason,
            "waived_who": who,
        }  # fmt: skip

    def waive(self, number: int, finding_ids, *, reason: str, who: str) -> int:
        self._check()
        self.calls.append(("waive", number, tuple(finding_ids), reason, who))
        fresh = [one for one in finding_ids if one not in self.waived]
        self.waived |= dict.fromkeys(fresh, (reason, who))
        return len(fresh)

    def take_back(self, number: int, finding_ids, *, who: str) -> int:
        self.calls.append(("take_back", number, tuple(finding_ids), who))
        return sum(self.waived.pop(one, None) is not None for one in finding_ids)

    @staticmethod
    def _report(edits: int, findings: list[dict[str, str]] | None = None) -> dict[str, Any]:
        counts = {"edits": edits, "unchanged": 0, "records": edits, "accepted": -edits, "quarantined": edits}
        return {**counts, "refused": bool(findings), "findings": findings or []}

    def accept(self, records: list[str], *, reason: str, who: str) -> dict[str, Any]:
        self.calls.append(("accept", tuple(records), reason, who))
        return self._report(len(records))

    def reject(self, records: list[str], *, reason: str, who: str) -> dict[str, Any]:
        self.calls.append(("reject", tuple(records), reason, who))
        return self._report(len(records))

    def edit(self, edits) -> dict[str, Any]:
        self.calls.append(("edit", *edits))
        if edits[0].old != "100":
            return self._report(0, [{"message_en": "The value there is 100.", "message_mn": "Тэнд 100 байна."}])
        return self._report(1)

    def upload(self, name: str, content: bytes, *, number: int | None) -> dict[str, Any]:
        self._check()
        self.calls.append(("upload", name, content, number))
        table = {"name": "baseline", "rows_read": 3, "accepted": 1, "quarantined": 1, "duplicate": 1}
        counts = {key: table[key] for key in ("rows_read", "accepted", "quarantined", "duplicate")}
        file = {"file_name": name, "form": "kheseg-baseline", "is_known_file": False, "findings": {"negative": 1}}
        file |= {"tables": [table], **counts}
        return {"refused": False, "files": [file], "refused_findings": []}

    def template(self, number: int, *, language: str) -> bytes:
        self._check()
        return b"record,field,old,new,reason,who\n"

    def feedback(self, number: int, pcode: str, *, language: str) -> str:
        self._check()
        return f"<h1>{pcode}</h1><script>alert(1)</script>"

    def close(self, number: int, *, to: str, who: str, reason: str | None = None) -> dict[str, Any]:
        self.calls.append(("close", number, to, who, reason))
        if to == "signed_off" and self._counts("sex_sum")[0]:
            standing = message("several_stand", count=3)
            raise OpenErrorsError(message("errors_stand", number=number, standing=standing), [])
        self.state = to
        return {"number": number, "status": to}

    def reopen(self, number: int, *, who: str, reason: str) -> dict[str, Any]:
        self.calls.append(("reopen", number, who, reason))
        self.state = "cleaning"
        return {"number": number, "status": "cleaning"}
