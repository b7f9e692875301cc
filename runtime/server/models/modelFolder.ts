import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FILES } from '@slipway/crds/contract';
import { Failure, sentenceOf } from '../../artifact/failure.ts';

/** One version of one model in a folder of models. */
export interface FoundModel {
  readonly name: string;
  readonly version: string;
  /** Its model directory, or the .onnx file that is all there is of it. */
  readonly path: string;
  readonly bare: boolean;
}

/** The version of a model that says none. */
const ONLY_VERSION = '1';
const SUFFIX = '.onnx';
/** Mount points and working folders: they name no model. */
const NAMELESS = new Set(['', 'models', 'app', 'model']);
const PARTS: ReadonlySet<string> = new Set([FILES.preprocess, FILES.postprocess]);

/**
 * What a person points the server at: a model.onnx or another .onnx file, a model directory, or a folder of models:
 * <name>.onnx, <name>/model.onnx and <name>/<version>/model.onnx (the layout of Triton). Sorted by name, then version,
 * oldest first. Throws Failure ModelMissing, and ModelInvalid for a name that stands twice.
 */
export async function findModels(root: string): Promise<readonly FoundModel[]> {
  const path = resolve(root);
  const top = await stat(path).catch(() => undefined);
  if (!top) throw new Failure('ModelMissing', `There is nothing at ${root}; name a folder of models or a .onnx file.`);
  const found = top.isDirectory() ? await inFolder(path) : [bare(path)];
  if (found.length === 0) throw new Failure('ModelMissing', nothingIn(root));
  refuseTwins(found);
  return found.sort((a, b) => compareText(a.name, b.name) || compareVersions(a.version, b.version));
}

const nothingIn = (root: string): string =>
  `There is no model in ${root}: put ${FILES.model}, <name>.onnx, <name>/${FILES.model} or <name>/<version>/${FILES.model} there.`;

async function inFolder(root: string): Promise<FoundModel[]> {
  if (await holdsModel(root)) return [{ name: nameOf(root), version: ONLY_VERSION, path: root, bare: false }];
  const found: FoundModel[] = [];
  for (const entry of await entriesOf(root)) {
    const path = join(root, entry);
    if (entry.endsWith(SUFFIX) && !PARTS.has(entry)) found.push(bare(path));
    else if (await isFolder(path)) found.push(...(await inModelFolder(entry, path)));
  }
  return found;
}

async function inModelFolder(name: string, folder: string): Promise<FoundModel[]> {
  if (await holdsModel(folder)) return [{ name, version: ONLY_VERSION, path: folder, bare: false }];
  const found: FoundModel[] = [];
  for (const version of await entriesOf(folder)) {
    const path = join(folder, version);
    if (await holdsModel(path)) found.push({ name, version, path, bare: false });
  }
  return found;
}

const bare = (path: string): FoundModel => {
  const file = basename(path);
  if (file !== FILES.model) return { name: file.replace(/\.onnx$/, ''), version: ONLY_VERSION, path, bare: true };
  return { name: nameOf(dirname(path)), version: ONLY_VERSION, path: dirname(path), bare: false };
};

const nameOf = (folder: string): string => {
  const name = basename(folder);
  return NAMELESS.has(name) ? 'model' : name;
};

async function entriesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Failure('ModelInvalid', `The folder ${folder} cannot be read: ${sentenceOf(error)}.`);
  });
  return names.filter((name) => !name.startsWith('.'));
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** A link that leads nowhere counts: it is refused by name when it is read. */
const holdsModel = (folder: string): Promise<boolean> =>
  lstat(join(folder, FILES.model)).then(
    () => true,
    () => false,
  );

function refuseTwins(found: readonly FoundModel[]): void {
  const seen = new Map<string, string>();
  for (const { name, version, path } of found) {
    const key = `${name}\n${version}`;
    const other = seen.get(key);
    if (other) throw new Failure('ModelInvalid', `Two models are called "${name}": ${other} and ${path}; rename one.`);
    seen.set(key, path);
  }
}

/** Numbers inside a version count as numbers: 10 is newer than 9, and 1.10 than 1.9. */
export const compareVersions = new Intl.Collator('en', { numeric: true }).compare;
const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
