import { VERDICTS } from '@slipway/crds/contract';
import type { ReportDocument } from './document.ts';
import { type Plot, plotsOf } from './page/plots.ts';
import { STYLE } from './page/style.ts';
import { escaped } from './page/svg.ts';
import { type CardSection, cardSections, type Table } from './sections.ts';

const isVerdict = (cell: string): boolean => (VERDICTS as readonly string[]).includes(cell);

/** Words longer than this are digests and addresses, which may break anywhere. */
const LONG = 40;

const cell = (content: string): string =>
  isVerdict(content)
    ? `<td class="verdict ${content}">${content}</td>`
    : `<td${content.length > LONG ? ' class="long"' : ''}>${escaped(content)}</td>`;

function table({ head, rows }: Table): string {
  const isNamed = head.some((name) => name !== '');
  const header = isNamed
    ? `<thead><tr>${head.map((name) => `<th scope="col">${escaped(name)}</th>`).join('')}</tr></thead>`
    : '';
  const body = rows.map((cells) => {
    const [first = '', ...rest] = cells;
    const lead = isNamed || rest.length === 0 ? cell(first) : `<th scope="row">${escaped(first)}</th>`;
    return `<tr>${lead}${rest.map(cell).join('')}</tr>`;
  });
  return `<div class="scroll"><table>${header}<tbody>${body.join('')}</tbody></table></div>`;
}

function section({ title, text, table: of, otherwise = '' }: CardSection): string {
  const body = of === undefined || of.rows.length === 0 ? `<p class="dim">${escaped(otherwise)}</p>` : table(of);
  return `<section><h2>${escaped(title)}</h2>${text === undefined ? '' : `<p>${escaped(text)}</p>`}${body}</section>`;
}

const figure = ({ title, svg, caption }: Plot): string =>
  `<figure${title === 'Slices' ? ' class="wide"' : ''}>${svg}<figcaption><strong>${escaped(title)}.</strong> ${escaped(caption)}</figcaption></figure>`;

function summary({ gates }: ReportDocument): string {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    count: gates.filter((gate) => gate.verdict === verdict).length,
  }));
  return `<div class="summary">${counts
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `<span class="${verdict}">${count} ${verdict}</span>`)
    .join('')}</div>`;
}

/**
 * The model card as one file of HTML: no script, no font, no picture from elsewhere, and a policy that forbids them, since
 * some of its words come from whoever trained the model.
 */
export function cardPage(report: ReportDocument): string {
  const [first, ...rest] = cardSections(report);
  const plots = plotsOf(report);
  const title = `${report.model} ${report.version}`;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${escaped(title)}</h1><p class="digest dim">${escaped(report.artifact.digest)}</p>${summary(report)}</header>`,
    ...report.warnings.map((warning) => `<p class="warning">${escaped(warning)}</p>`),
    ...rest.slice(0, 1).map(section),
    plots.length > 0 ? `<section><h2>Plots</h2><div class="plots">${plots.map(figure).join('')}</div></section>` : '',
    ...rest.slice(1).map(section),
    first === undefined ? '' : section(first),
    '</body></html>',
    '',
  ].join('\n');
}
