import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';

/** A fenced block of a page. */
export interface Block {
  /** Line of its fence. */
  readonly line: number;
  readonly language: string;
  /** The word after the language, which readers don't see: what to do with the block. */
  readonly use: string;
  readonly text: string;
}

const FENCED = /^```(\w+)(?: (\w+))?\n(.*?)^```$/gms;

const lineAt = (page: string, index: number): number => page.slice(0, index).split('\n').length;

export const blocksOf = (page: string): readonly Block[] =>
  [...page.matchAll(FENCED)].map(({ index, 1: language = '', 2: use = '', 3: text = '' }) => ({
    line: lineAt(page, index),
    language,
    use,
    text,
  }));

/** A command and the block behind it, which is what the command prints. */
export interface Shown {
  readonly command: Block;
  readonly printed: Block;
}

const ANSWERS = new Set(['json', 'text']);

export function shownIn(blocks: readonly Block[]): readonly Shown[] {
  return blocks.flatMap((command, i) => {
    const printed = blocks[i + 1];
    if (command.language !== 'sh' || command.use !== '') return [];
    if (printed && printed.use === '' && ANSWERS.has(printed.language)) return [{ command, printed }];
    throw new Error(`Line ${command.line}: say behind the command what it prints.`);
  });
}

/** The rows of all tables whose head is this, as the text of their cells. */
export function tableOf(page: string, ...head: readonly string[]): readonly (readonly string[])[] {
  const lines = page.split('\n');
  const start = lines.indexOf(`| ${head.join(' | ')} |`);
  if (start < 0) throw new Error(`There is no table of ${head.join(', ')}.`);
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

export const serverPage = (): Promise<string> => readFile(join(repositoryRoot, 'docs', 'server.md'), 'utf8');
