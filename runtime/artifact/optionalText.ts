import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from './failure.ts';

const COMPLAINTS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a link that leads back to itself',
};

/** The text of a file, undefined where there is none. Throws Failure ModelInvalid when it is there and can't be read. */
export async function readOptionalText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT') return undefined;
    throw new Failure('ModelInvalid', `${basename(path)} cannot be read: ${COMPLAINTS[code] ?? code}.`);
  }
}
