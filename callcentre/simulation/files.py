"""A report as a file: a page that stands by itself, and a PDF."""

from __future__ import annotations

from html import escape
from io import BytesIO
from typing import Any

from callcentre.simulation.report import Report, Table

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;"
    "background:#fff}"
    "table{border-collapse:collapse;margin:.5rem 0;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}"
    "th,td{border-bottom:1px solid #c9c9d1;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    "td{font-variant-numeric:tabular-nums}.verdict{font-size:1.2rem;font-weight:600}.note{color:#55555f;font-size:.9rem}"
)
_NO_BREAK = str.maketrans({"\N{NARROW NO-BREAK SPACE}": "\N{NO-BREAK SPACE}", "−": "-"})
"""What the built-in fonts of a PDF do not have."""


def as_html(report: Report, language: str) -> bytes:
    """The report as one page that needs nothing else."""
    parts = [
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">',
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(report.title)}</h1><p>{escape(report.subtitle)}</p>",
        *(f'<p class="note">{escape(line)}</p>' for line in report.made),
        f'<p class="verdict">{escape(report.verdict)}</p>',
        *(f"<p>{escape(sentence)}</p>" for sentence in report.lead),
        *(_html_table(table) for table in report.tables),
        *(f'<p class="note">{escape(note)}</p>' for note in report.notes),
        "</body></html>",
    ]
    return "".join(parts).encode()


def _html_table(table: Table) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    caption = f"<caption>{escape(table.caption)}</caption>"
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{note}"


def as_pdf(report: Report, language: str) -> bytes:
    """The report as a PDF, on A4 sheets laid across."""
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer

    styles = getSampleStyleSheet()

    def paragraph(text: str, style: str = "BodyText") -> Any:
        return Paragraph(escape(text.translate(_NO_BREAK)), styles[style])

    story: list[Any] = [
        paragraph(report.title, "Title"),
        paragraph(report.subtitle),
        *(paragraph(line, "Italic") for line in report.made),
        paragraph(report.verdict, "Heading2"),
        *map(paragraph, report.lead),
    ]
    for table in report.tables:
        block = [paragraph(table.caption, "Heading3"), _pdf_table(table, paragraph)]
        block += [paragraph(table.note, "Italic")] if table.note else []
        story += [Spacer(1, 4 * mm), KeepTogether(block)]
    story += [Spacer(1, 6 * mm), *(paragraph(note, "Italic") for note in report.notes)]
    target = BytesIO()
    SimpleDocTemplate(
        target,
        pagesize=landscape(A4),
        title=report.title.translate(_NO_BREAK),
        lang=language,
        leftMargin=14 * mm,
        rightMargin=14 * mm,
        topMargin=14 * mm,
        bottomMargin=14 * mm,
        invariant=True,  # the same report is the same file
    ).build(story)
    return target.getvalue()


def _pdf_table(table: Table, paragraph: Any) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table as PdfTable
    from reportlab.platypus import TableStyle

    cells = [[paragraph(cell) for cell in row] for row in (table.heads, *table.rows)]
    drawn = PdfTable(cells, repeatRows=1)
    drawn.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.lightgrey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return drawn
