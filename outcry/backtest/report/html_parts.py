"""The parts that a page is put together from: cards, tables, charts, the document itself."""

import base64
import gzip
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from outcry.backtest.report.style_sheet import STYLE_SHEET


class Charts:
    """Places for charts on the page, and the script that fills them."""

    def __init__(self) -> None:
        self._figures: list[str] = []

    def card(self, title: str, figure: go.Figure, caption: str) -> str:
        """Return a card with one chart."""
        place = self._add([figure])
        return card(title, f'<p class="caption">{escape(caption)}</p>{_place(place, figure)}')

    def choice_card(self, title: str, figures: Mapping[str, go.Figure], caption: str, label: str) -> str:
        """Return a card with a chart chosen by name; the first is shown. All of them are in the page."""
        place = self._add(list(figures.values()))
        options = "".join(f'<option value="{index}">{escape(name)}</option>' for index, name in enumerate(figures))
        choice = f'<label class="choice">{escape(label)} <select data-chart="{place}">{options}</select></label>'
        chart = _place(place, next(iter(figures.values())))
        return card(title, f'<p class="caption">{escape(caption)}</p>{choice}{chart}')

    def script(self) -> str:
        """Return the script that draws the charts; it runs once the chart library is there."""
        figures = ",\n".join(self._figures)
        return f"""const figures = {{{figures}}};
const options = {{displayModeBar: false, displaylogo: false, responsive: true, plotlyServerURL: ""}};
function draw() {{
  for (const [place, choices] of Object.entries(figures))
    Plotly.newPlot(place, choices[0].data, choices[0].layout, options);
  const widths = new ResizeObserver((seen) => seen.forEach((entry) => Plotly.Plots.resize(entry.target)));
  for (const place of Object.keys(figures)) widths.observe(document.getElementById(place));
  for (const chooser of document.querySelectorAll("select[data-chart]"))
    chooser.addEventListener("change", () => {{
      const figure = figures[chooser.dataset.chart][Number(chooser.value)];
      Plotly.react(chooser.dataset.chart, figure.data, figure.layout, options);
    }});
}}"""

    def _add(self, figures: Sequence[go.Figure]) -> str:
        place = f"chart-{len(self._figures)}"
        drawn = ",\n".join(figure.to_json() for figure in figures)  # plotly escapes "<" and ">" in it
        self._figures.append(f'"{place}": [{drawn}]')
        return place


def document(title: str, body: str, charts: Charts) -> str:
    """Return the page. The chart library is in it, compressed: a third of its size, unpacked by the browser."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE_SHEET}</style>
</head>
<body>
<main>
{body}
</main>
<script type="application/gzip" id="chart-library">{chart_library()}</script>
<script>
{charts.script()}
async function unpack() {{
  const packed = atob(document.getElementById("chart-library").textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const library = document.createElement("script");
  library.textContent = await new Response(stream).text();
  document.head.append(library);
  draw();
}}
unpack().catch((error) => {{
  for (const place of document.querySelectorAll(".chart"))
    place.textContent = "This browser cannot draw the chart: " + error;
}});
</script>
</body>
</html>
"""


@cache
def chart_library() -> str:
    """Return the chart library, compressed, as text of letters that need no escape."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 9, mtime=0)).decode("ascii")


def card(title: str, inner: str, extra: str = "") -> str:
    """Return a titled box around HTML."""
    return f'<section class="card {extra}"><h2>{escape(title)}</h2>{inner}</section>'


def caption(text: str) -> str:
    """Return a small line of text."""
    return f'<p class="caption">{escape(text)}</p>'


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Return a table of names and texts."""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f'<table class="facts">{body}</table>'


def told(rows: Sequence[tuple[str, str]]) -> str:
    """Return a table of names and what there is to say of each, at any length."""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    return f'<table class="told">{body}</table>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], first_number: int) -> str:
    """Return a table that scrolls sideways on a narrow page; columns from `first_number` on are set right."""

    def cells(tag: str, texts: Sequence[str]) -> str:
        kinds = ("" if column < first_number else ' class="number"' for column in range(len(texts)))
        return "".join(f"<{tag}{kind}>{escape(text)}</{tag}>" for kind, text in zip(kinds, texts, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{cells("th", heads)}</tr>{body}</table></div>'


def _place(place: str, figure: go.Figure) -> str:
    return f'<div class="chart" id="{place}" style="height:{figure.layout.height}px"></div>'
