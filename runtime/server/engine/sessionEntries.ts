import { readFile } from 'node:fs/promises';
import { Failure } from '../../artifact/failure.ts';

/** Entries of a provider's own, which may come with a library of its own. */
const OF_A_PROVIDER = /^ep\./;

/**
 * Refuses session config entries that ONNX Runtime does not know, which it would ignore in silence. There is no list of
 * them in its API; their names stand in the library as constants. Throws Failure ConfigurationInvalid.
 */
export async function checkEntries(
  libraryPath: string,
  version: string,
  entries: Readonly<Record<string, string>>,
): Promise<void> {
  const asked = Object.keys(entries).filter((key) => !OF_A_PROVIDER.test(key));
  if (asked.length === 0) return;
  const library = await readFile(libraryPath);
  const unknown = asked.find((key) => !library.includes(`${key}\0`));
  if (unknown === undefined) return;
  throw new Failure(
    'ConfigurationInvalid',
    `engine.session names "${unknown}", which ONNX Runtime ${version} does not know; take it out or correct it.`,
  );
}
