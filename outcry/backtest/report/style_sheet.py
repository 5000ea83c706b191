"""The style sheet of the page: light or dark as the reader's system asks for, one column on a phone."""

STYLE_SHEET = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1d2430; --soft: #5d6878; --rule: #e1e5eb;
  --good: #1f7f56; --bad: #c0303c; --flat: #8a6414; --note: #fff6e0; --note-rule: #e0b04a; }
@media (prefers-color-scheme: dark) { :root { --page: #12161d; --card: #1a202a; --ink: #e6eaf0; --soft: #98a4b5;
  --rule: #2b3340; --good: #4fc594; --bad: #f0717b; --flat: #e0b765; --note: #2a2516; --note-rule: #8f7432; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.45;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 20px 20px 48px; }
h1 { font-size: 28px; line-height: 1.25; margin: 6px 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 16px; margin: 0 0 8px; }
.gain { color: var(--good); } .loss { color: var(--bad); } .flat { color: var(--flat); }
.run, .caption { color: var(--soft); font-size: 13.5px; margin: 0; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px;
  margin-top: 16px; min-width: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(160px, 1fr)); gap: 12px; margin-top: 16px; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 14px; }
.tile b { display: block; font-size: 21px; font-variant-numeric: tabular-nums; line-height: 1.3; }
.tile span { color: var(--soft); font-size: 12.5px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 0 16px; }
.notes { background: var(--note); border-color: var(--note-rule); }
.notes ul { margin: 0; padding-left: 20px; } .notes li { margin: 3px 0; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 500; } tr:last-child > * { border-bottom: 0; }
td.number, th.number { text-align: right; padding-right: 0; padding-left: 10px; white-space: nowrap; }
.facts td { text-align: right; padding-right: 0; } .facts th { width: 52%; }
.notes h3 { font-size: 14px; margin: 14px 0 4px; }
.answers th { font-weight: 600; color: var(--ink); } .answers td { text-align: right; white-space: nowrap;
  padding-right: 0; font-weight: 600; }
.answers small { display: block; color: var(--soft); font-weight: 400; font-size: 13px; }
.answers th, .answers td { border-color: var(--note-rule); } .choice { font-size: 13.5px; color: var(--soft); }
.choice select { font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--rule);
  border-radius: 6px; padding: 5px 8px; margin: 8px 0; max-width: 70%; }
.scroll { overflow-x: auto; } .scroll td:not(:first-child) { white-space: nowrap; }
.scroll td:first-child { min-width: 6em; }
.tall { max-height: 460px; overflow-y: auto; }
.caption + .scroll, .caption + .tall, .pair + .caption, .scroll + .caption { margin-top: 8px; }
.told td { overflow-wrap: anywhere; } .told th { width: 24%; padding-right: 16px; }
.chart { width: 100%; overflow: hidden; } td.wide { overflow-wrap: anywhere; }
@media (max-width: 600px) { main { padding: 12px 10px 32px; } h1 { font-size: 22px; } .card { padding: 12px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; } .tile b { font-size: 18px; } }
"""
