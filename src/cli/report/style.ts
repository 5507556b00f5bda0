// The style sheet of pages: light and dark, for screens and paper.

/** No `<`, `&` or `>`: it stands in the page as it is, for readers of HTML and of XML. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1d2329; --faint: #5a6572; --paper: #fff; --band: #f3f5f7; --line: #d4dae0;
  --good: #11652f; --warn: #855000; --bad: #a51d1d; --goodband: #e7f4ea; --warnband: #fdf1dc; --badband: #fbe7e7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --faint: #a0abb7; --paper: #14181c; --band: #1e242a; --line: #39424c;
  --good: #7fd49a; --warn: #efbf6b; --bad: #f59a9a; --goodband: #16301f; --warnband: #35290f; --badband: #3b1b1b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.25; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); font-size: 1.2rem; }
code { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: .92em; overflow-wrap: anywhere; }
li code, p code { padding: .05em .3em; border-radius: 3px; background: var(--band); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 1rem 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: .5rem 0; padding-left: 1.25rem; }
li { margin: .3rem 0; overflow-wrap: anywhere; }
.verdict { margin: 1.25rem 0; padding: .7rem 1rem; border-left: 5px solid var(--faint); background: var(--band); font-size: 1.1rem; font-weight: 600; }
.note { margin: .75rem 0; padding: .5rem .9rem; border-left: 4px solid var(--line); background: var(--band); overflow-wrap: anywhere; }
.verdict.good, .note.good { border-color: var(--good); background: var(--goodband); }
.verdict.warn, .note.warn { border-color: var(--warn); background: var(--warnband); }
.verdict.bad, .note.bad { border-color: var(--bad); background: var(--badband); }
.figures { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.figures li { display: flex; flex-direction: column; min-width: 7rem; margin: 0; padding: .5rem .9rem; border: 1px solid var(--line); border-radius: 6px; }
.figures b { font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figures span { color: var(--faint); font-size: .9rem; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.verdict.good, .verdict.warn, .verdict.bad, .note { color: var(--ink); }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { width: 100%; border-collapse: collapse; font-size: .93rem; }
caption { padding: .25rem 0; color: var(--faint); text-align: left; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: break-word; }
thead th { border-bottom: 2px solid var(--line); background: var(--band); white-space: nowrap; overflow-wrap: normal; }
tbody th { font-weight: 600; }
tbody th[scope="row"] { min-width: 6.5rem; }
th[scope="rowgroup"] { padding-top: .8rem; border-bottom-color: var(--faint); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.code { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: .88rem; overflow-wrap: break-word; }
td span.good, td span.warn, td span.bad { font-weight: 600; white-space: nowrap; }
.lines span { display: block; }
.signing td { height: 3.5rem; }
.signing th, .signing td { border: 1px solid var(--line); width: 25%; }
footer { margin-top: 3rem; color: var(--faint); font-size: .85rem; overflow-wrap: anywhere; }
@media print {
  :root { --ink: #000; --faint: #444; --paper: #fff; --band: #f3f5f7; --line: #bbb; --good: #0b4a21; --warn: #6a4000; --bad: #8a1212;
    --goodband: #fff; --warnband: #fff; --badband: #fff; }
  @page { margin: 15mm 12mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  h2 { break-after: avoid; }
  tr, li, .verdict, .note { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  .signing { break-inside: avoid; }
}
`;
