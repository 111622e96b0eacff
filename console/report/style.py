"""The style sheet of report pages: light and dark, on paper too. Decides looks alone."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --dim: #5b6570; --line: #d5dae0;
  --good: #1a7f37; --bad: #c0252d; --open: #9a6700; --mark: #2563c9; --soft: #dbe7fb; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e7ec; --paper: #14181d; --dim: #98a3af; --line: #343b44; --good: #4cc36a;
    --bad: #ff7a7a; --open: #e0ad3c; --mark: #7db0ff; --soft: #24344f; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; padding-top: .75rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .35rem 0; overflow-wrap: anywhere; }
.dim { color: var(--dim); font-size: .85rem; }
.decision { font-size: 1.1rem; border-left: .3rem solid var(--dim); padding: .3rem .8rem; }
.decision.PROMOTE { border-color: var(--good); }
.decision.REJECT { border-color: var(--bad); }
.decision.HOLD { border-color: var(--open); }
.badge { font-size: .75rem; border: 1px solid currentColor; border-radius: .3rem;
  padding: .05rem .4rem; color: var(--dim); }
.badge.PASS { color: var(--good); }
.badge.FAIL { color: var(--bad); }
.badge.UNKNOWN, .badge.WARNING { color: var(--open); }
.rule { break-inside: avoid; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0; min-width: 3rem;
  border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
td:last-child { overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 600; white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
summary { cursor: pointer; color: var(--dim); font-size: .9rem; }
svg { max-width: 100%; height: auto; display: block; margin: .4rem 0; }
.axis, .zero { stroke: var(--line); stroke-width: 1; }
.zero { stroke: var(--dim); }
.bound { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 4 3; }
.boundtext { fill: var(--bad); }
.interval { fill: var(--soft); stroke: var(--mark); }
.gain { fill: var(--mark); }
.hollow { fill: none; stroke: var(--dim); stroke-width: 2; }
.won { fill: var(--good); }
.lost { fill: var(--bad); }
text { fill: var(--ink); font: 12px system-ui, sans-serif; }
.tick { fill: var(--dim); }
.tick.boundtext { fill: var(--bad); }
@media print { main { max-width: none; } details > * { display: block; } }
"""
