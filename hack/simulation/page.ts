import type { Section } from './section.ts';

const begin = (name: string): string => `<!-- simulated: ${name}, written by make simulate -->`;
const END = '<!-- end of simulated -->';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = ({ title, head, rows }: Section): string =>
  [`**${title}**`, '', row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/** The page with each section's table between its marks. Throws where a section's marks are gone. */
export const withTables = (page: string, sections: readonly Section[]): string =>
  sections.reduce((text, section) => {
    const from = text.indexOf(begin(section.name));
    const to = text.indexOf(END, from);
    if (from < 0 || to < 0)
      throw new Error(`the page has lost its marks for ${section.name}: it needs ${begin(section.name)} and ${END}`);
    return `${text.slice(0, from)}${begin(section.name)}\n\n${table(section)}\n\n${text.slice(to)}`;
  }, page);

const WIDTH = 80;

/** For a terminal: columns as wide as they must be, what does not fit in 80 on lines of its own. */
export function asText({ title, head, rows }: Section): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  const fits = widths.reduce((a, b) => a + b + 2, -2) <= WIDTH;
  const stacked = (cells: readonly string[]): string =>
    [cells[0] ?? '', ...cells.slice(1).map((cell, i) => `    ${(head[i + 1] ?? '').padEnd(28)} ${cell}`)].join('\n');
  return [wrapped(title), ...(fits ? [line(head), ...rows.map(line)] : rows.map(stacked))].join('\n');
}

function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
