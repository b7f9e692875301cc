/** Colours that hold in both schemes and for colour-blind readers: blue for what is measured, orange for the rest. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --paper: #fff; --rule: #d8dee4; --soft: #f6f8fa; --mark: #0b62b8; --other: #c65d07; --pass: #1a7f37; --fail: #b3261e; --more: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9aa4af; --paper: #0d1117; --rule: #30363d; --soft: #161b22; --mark: #5cb3ff; --other: #f0883e; --pass: #4ac26b; --fail: #ff7b72; --more: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--rule); padding-bottom: .25rem; }
p { margin: .4rem 0; } .dim, figcaption { color: var(--dim); font-size: .87rem; } .digest { font-family: ui-monospace, monospace; font-size: .8rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--rule); vertical-align: top; } td.long { overflow-wrap: anywhere; } th { color: var(--dim); font-weight: 600; white-space: nowrap; }
td.verdict { font-weight: 700; white-space: nowrap; } .Pass { color: var(--pass); } .Fail { color: var(--fail); } .NeedMore { color: var(--more); }
.summary { display: flex; gap: .6rem; flex-wrap: wrap; margin: 1rem 0; } .summary span { background: var(--soft); border: 1px solid var(--rule); border-radius: 999px; padding: .2rem .8rem; font-size: .9rem; font-weight: 600; }
.warning { border-left: 4px solid var(--more); background: var(--soft); padding: .5rem .8rem; margin: .6rem 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem; } figure { margin: 0; } figure.wide { grid-column: 1 / -1; } figcaption strong { color: var(--ink); }
svg { width: 100%; height: auto; display: block; } svg .grid { stroke: var(--rule); stroke-width: 1; } svg .reference { stroke: var(--dim); stroke-width: 1.3; stroke-dasharray: 5 4; }
svg .interval { stroke: var(--mark); stroke-width: 2; } svg .weak { stroke: var(--mark); stroke-width: 2; opacity: .4; } svg .point { fill: var(--mark); } svg .faint { fill: var(--mark); opacity: .4; }
svg .curve { fill: none; stroke: var(--mark); stroke-width: 2.2; } svg .positive { fill: var(--mark); } svg .other { fill: var(--other); opacity: .75; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick { fill: var(--dim); font-size: 11px; }
@media print { body { max-width: none; } }
`;
