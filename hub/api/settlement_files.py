"""A month's books as files: one row a claim and payer, and totals that add up to the ledger's."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from typing import Any, Final

from hub.accounts import PAYER_WORDS, PAYERS, Payer, yuan
from hub.api.sheets import plain_cell
from hub.ports import Json

__all__ = ["FILE_COLUMNS", "as_csv", "as_xlsx", "file_rows"]

FILE_COLUMNS: Final = (
    ("number", "申报号", "Claim"),
    ("order_number", "工单号", "Order"),
    ("provider_id", "机构编号", "Provider id"),
    ("provider", "机构", "Provider"),
    ("resident_id", "老人编号", "Resident id"),
    ("resident", "老人", "Resident"),
    ("kind", "服务", "Service"),
    ("month", "入账月份", "Month"),
    ("service_on", "服务日期", "Day"),
    ("started_at", "开始", "Began"),
    ("ended_at", "结束", "Ended"),
    ("minutes", "分钟", "Minutes"),
    ("status", "状态", "State"),
    ("what", "账目", "Entry"),
    ("payer", "支付方", "Payer"),
    ("yuan", "金额（元）", "Yuan"),
    ("fen", "金额（分）", "Fen"),
    ("reasons", "原因", "Reasons"),
)
_STATUS: Final = {
    "claimed": ("已申报", "claimed"),
    "held": ("待复核", "held"),
    "refused": ("不予支付", "refused"),
    "disputed": ("争议中", "disputed"),
    "accepted": ("已确认", "accepted"),
    "closed": ("已结账", "closed"),
}
_WHAT: Final = {"claim": ("支付", "payment"), "reversal": ("冲正", "reversal")}


def file_rows(rows: Sequence[Json], zone: tzinfo, language: str) -> list[dict[str, Any]]:
    """The rows of the books in words; times where the site is."""
    place = 0 if language == "zh" else 1
    found: list[dict[str, Any]] = []
    for row in rows:
        payer = PAYER_WORDS[row["payer"]][place] if row["payer"] in PAYER_WORDS else ""
        fen = int(row["fen"] or 0)
        reasons = "; ".join(str(why["zh" if place == 0 else "en"]) for why in row["reasons"])
        found.append(
            {
                **{key: row[key] for key in ("number", "order_number", "month", "minutes")},
                **{
                    key: plain_cell(str(row[key]))
                    for key in ("provider_id", "provider", "resident_id", "resident", "kind")
                },
                "service_on": _day(row["service_on"]),
                "started_at": _local(row["started_at"], zone),
                "ended_at": _local(row["ended_at"], zone),
                "status": _STATUS[row["status"]][place],
                "what": _WHAT[row["what"]][place] if row["what"] else "",
                "payer": payer,
                "payer_code": row["payer"],
                "yuan": yuan(fen),
                "fen": fen,
                "reasons": plain_cell(reasons),
            }
        )
    return found


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _local(value: Any, zone: tzinfo) -> str:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _totals(rows: Sequence[dict[str, Any]]) -> list[tuple[int, Payer | None, int]]:
    """(rows, payer, fen) by payer, in the order of the payers; the last is of all."""
    found: list[tuple[int, Payer | None, int]] = []
    for payer in PAYERS:
        own = [row["fen"] for row in rows if row["payer_code"] == payer]
        found.append((len(own), payer, sum(own)))
    return [*found, (sum(count for count, _, _ in found), None, sum(fen for _, _, fen in found))]


def as_csv(rows: Sequence[dict[str, Any]], language: str) -> str:
    """With a line a payer and one for all of them at the end."""
    place = 0 if language == "zh" else 1
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column[1 + place] for column in FILE_COLUMNS])
    for row in rows:
        writer.writerow([row[key] for key, _, _ in FILE_COLUMNS])
    width = len(FILE_COLUMNS)
    for count, payer, fen in _totals(rows):
        line: list[Any] = [""] * width
        line[0] = ("合计", "Total")[place]
        line[_at("what")] = count
        line[_at("payer")] = PAYER_WORDS[payer][place] if payer else ("全部", "All")[place]
        line[_at("yuan")], line[_at("fen")] = yuan(fen), fen
        writer.writerow(line)
    return "\ufeff" + out.getvalue()


def _at(key: str) -> int:
    return next(n for n, column in enumerate(FILE_COLUMNS) if column[0] == key)


def as_xlsx(rows: Sequence[dict[str, Any]], title: str, language: str) -> bytes:
    """Two sheets: the lines, and the totals by payer. Loaded only where a file is asked for: it is slow to load."""
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    place = 0 if language == "zh" else 1
    # Row by row as it comes: a month of a district has tens of thousands.
    book = Workbook(write_only=True)
    lines = book.create_sheet(("明细", "Lines")[place])
    totals = book.create_sheet(("合计", "Totals")[place])

    def bold(sheet: Any, words: Sequence[str]) -> None:
        cells = [WriteOnlyCell(sheet, value=word) for word in words]
        for cell in cells:
            cell.font = Font(bold=True)
        sheet.append(cells)

    for number, (key, _, _) in enumerate(FILE_COLUMNS, start=1):
        lines.column_dimensions[get_column_letter(number)].width = 44 if key == "reasons" else 16
    lines.freeze_panes = "A2"
    bold(lines, [column[1 + place] for column in FILE_COLUMNS])
    for row in rows:
        lines.append([row["fen"] / 100 if key == "yuan" else row[key] for key, _, _ in FILE_COLUMNS])
    totals.column_dimensions["A"].width = 24
    totals.append([title])
    bold(totals, (("支付方", "笔数", "金额（元）", "金额（分）"), ("Payer", "Rows", "Yuan", "Fen"))[place])
    for count, payer, fen in _totals(rows):
        word = PAYER_WORDS[payer][place] if payer else ("全部", "All")[place]
        totals.append([word, count, fen / 100, fen])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
