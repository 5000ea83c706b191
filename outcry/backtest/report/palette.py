"""One look for every chart: colours that read on a light and on a dark page, fixed heights."""

import plotly.graph_objects as go

BLUE, GREEN, RED, GREY, PURPLE, AMBER = "#3b82d6", "#2f9e6e", "#d64550", "#8b95a5", "#9b6dd6", "#d99a2b"
GRID = "rgba(139,149,165,0.22)"


def style(figure: go.Figure, height_px: int) -> go.Figure:
    """Give a figure the look of the report and a fixed height; return it."""
    figure.update_layout(
        template="none",
        height=height_px,
        margin={"l": 68, "r": 16, "t": 34, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif", "size": 12, "color": GREY},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hoverlabel={"font": {"size": 12}},
        bargap=0.25,
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GREY, zerolinewidth=1, automargin=True, title_standoff=12)
    return figure
