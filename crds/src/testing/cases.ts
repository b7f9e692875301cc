import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KindDefinition } from '../kind.ts';
import { KINDS } from '../v1alpha1/kinds.ts';

const TESTDATA = join(import.meta.dirname, '..', '..', 'testdata');

/** A manifest of crds/testdata. */
export interface Case {
  /** <kind>/<file name without extension>. */
  readonly name: string;
  readonly kind: KindDefinition;
  readonly manifest: { readonly metadata: { readonly name: string }; readonly spec?: unknown };
}

/** A manifest that must be refused, and what its header says about it. */
export interface InvalidCase extends Case {
  /** `# refused: <field>: <message>`; a message about the object as a whole names no field. */
  readonly refused: { readonly field: string | undefined; readonly message: string };
  /** `# after: <valid case>`: refused as a change of that object, not when new. */
  readonly after: string | undefined;
}

const folderOf = ({ kind }: KindDefinition): string => kind.toLowerCase();

const header = (text: string, word: string): string | undefined => RegExp(`^# ${word}: (.*)$`, 'm').exec(text)?.[1];

function refusal(text: string, name: string): InvalidCase['refused'] {
  const line = header(text, 'refused');
  if (line === undefined) throw new Error(`${name}: the header must say "# refused: <field>: <message>"`);
  const [, field, message = line] = /^(spec[^ :]*): (.*)$/.exec(line) ?? [];
  return { field, message };
}

function read<T extends Case>(folder: 'valid' | 'invalid', toCase: (text: string, base: Case) => T): T[] {
  return KINDS.flatMap((kind) => {
    const directory = join(TESTDATA, folder, folderOf(kind));
    return readdirSync(directory).map((file) => {
      const text = readFileSync(join(directory, file), 'utf8');
      return toCase(text, { name: `${folderOf(kind)}/${file.replace('.yaml', '')}`, kind, manifest: parse(text) });
    });
  });
}

export const validCases = (): Case[] => read('valid', (_, base) => base);

export const invalidCases = (): InvalidCase[] =>
  read('invalid', (text, base) => ({ ...base, refused: refusal(text, base.name), after: header(text, 'after') }));

/** The valid case that an update starts from. */
export function predecessor({ kind, after }: InvalidCase): Case {
  const name = `${folderOf(kind)}/${after}`;
  const found = validCases().find((valid) => valid.name === name);
  if (found === undefined) throw new Error(`there is no valid case ${name}`);
  return found;
}
