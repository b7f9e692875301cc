import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { contentKeyOf } from '../contentKey.ts';

/** Files below a path, sorted, without what .dockerignore keeps out of every build. */
async function filesOf(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('/node_modules/'))
    .sort();
}

/** Changes when a file below one of the paths changes, comes, goes or is renamed, and when the text changes. */
export async function sourceKey(root: string, paths: readonly string[], text: readonly string[]): Promise<string> {
  const files = (await Promise.all(paths.map((path) => filesOf(join(root, path))))).flat();
  const names = files.map((file) => file.slice(root.length));
  return contentKeyOf(files, [...names, ...text]);
}
