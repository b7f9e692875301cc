import { COLUMNS, field, wrap } from '../render/text.ts';
import type { CardFormat } from './arguments.ts';
import type { Section } from './card.ts';

const indented = (text: string): string[] => wrap(text, COLUMNS - 2).map((line) => `  ${line}`);

/** Each row of a table as a block of its own: seven columns do not fit a terminal. */
const blocks = ({ head, body }: NonNullable<Section['table']>): string[] =>
  body.flatMap((row) => {
    const [first = '', ...rest] = row;
    const told = rest.flatMap((cell, i) => (cell === '' ? [] : field(head[i + 1] ?? '', cell, 4, 15)));
    return [...indented(first), ...told];
  });

function sectionText({ title, text, rows = [], table }: Section): string[] {
  return [
    title.toUpperCase(),
    ...(text === undefined ? [] : indented(text)),
    ...rows.flatMap(([name, value]) => field(name, value, 2, 17)),
    ...(table === undefined ? [] : blocks(table)),
    '',
  ];
}

/** A cell of a Markdown table, and no markup of whoever wrote it. */
const cell = (text: string): string =>
  text.replaceAll(/[\\`*_{}[\]<>|]/g, (mark) => `\\${mark}`).replaceAll(/\s+/g, ' ');

const mdTable = (head: readonly string[], body: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...body.map((row) => row.map(cell))].map((row) => `| ${row.join(' | ')} |`);

function sectionMarkdown({ title, text, rows = [], table }: Section): string[] {
  return [
    `## ${title}`,
    '',
    ...(text === undefined ? [] : [cell(text), '']),
    ...(rows.length === 0 ? [] : [...mdTable(['', ''], rows), '']),
    ...(table === undefined ? [] : [...mdTable(table.head, table.body), '']),
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const html = (text: string): string => text.replaceAll(/[&<>"']/g, (mark) => ENTITIES[mark] ?? mark);
const row = (tag: 'td' | 'th', cells: readonly string[]): string =>
  `<tr>${cells.map((text) => `<${tag}>${html(text)}</${tag}>`).join('')}</tr>`;

function sectionHtml({ title, text, rows = [], table }: Section): string[] {
  const body = [...(table === undefined ? [] : [row('th', table.head)]), ...rows.map((r) => row('td', r))];
  const all = [...body, ...(table?.body ?? []).map((r) => row('td', r))];
  return [
    `<section><h2>${html(title)}</h2>`,
    ...(text === undefined ? [] : [`<p>${html(text)}</p>`]),
    ...(all.length === 0 ? [] : ['<table>', ...all, '</table>']),
    '</section>',
  ];
}

/** No script, no font, nothing that is fetched: the page can be mailed. */
const page = (name: string, body: readonly string[]): string[] => [
  '<!doctype html>',
  `<html lang="en"><head><meta charset="utf-8"><title>${html(name)}</title>`,
  '<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse}td,th{border:1px solid #8886;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}</style>',
  `</head><body><h1>${html(name)}</h1>`,
  ...body,
  '</body></html>',
];

/** A card as lines: for a terminal in 80 columns, as Markdown, or as one HTML page. */
export function cardLines(name: string, sections: readonly Section[], format: CardFormat): string[] {
  if (format === 'html') return page(name, sections.flatMap(sectionHtml));
  if (format === 'md') return [`# ${cell(name)}`, '', ...sections.flatMap(sectionMarkdown)];
  return [`ModelVersion ${name}`, '', ...sections.flatMap(sectionText)].slice(0, -1);
}
