import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../.cache/test', import.meta.url));

/** A new folder of a test or bench. It lies in the checkout's cache, which `make clean` removes: a killed run leaves nothing elsewhere. */
export async function temporaryFolder(prefix: string): Promise<string> {
  await mkdir(ROOT, { recursive: true });
  return mkdtemp(join(ROOT, `${prefix}-`));
}
