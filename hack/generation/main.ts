import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { crdFiles, type GeneratedFile } from '@slipway/crds/generate/main.ts';
import { referencePage } from '@slipway/crds/generate/reference.ts';
import { KINDS } from '@slipway/crds/v1alpha1/kinds.ts';
import { crdTemplates } from './charts.ts';
import { operatorGrants } from './grants.ts';
import { chartRules, kustomizeRoles, userRoles } from './rbac.ts';
import { permissionsFrom } from './rules.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Folders that hold generated files of one suffix and nothing else of it: what is not generated any more is removed. */
const OWNED = [
  { folder: 'crds', suffix: '.yaml' },
  { folder: 'charts/slipway-crds/templates', suffix: '.yaml' },
  { folder: 'docs/reference', suffix: '.md' },
];

/** Every generated file of the repository. */
export function generatedFiles(): GeneratedFile[] {
  const permissions = permissionsFrom(operatorGrants());
  return [
    ...crdFiles(),
    ...crdTemplates(),
    ...kustomizeRoles(permissions),
    chartRules(permissions),
    ...userRoles(),
    ...KINDS.map(referencePage),
  ];
}

async function leftovers(files: readonly GeneratedFile[]): Promise<string[]> {
  const found = await Promise.all(
    OWNED.map(async ({ folder, suffix }) =>
      (await readdir(join(ROOT, folder))).filter((name) => name.endsWith(suffix)).map((name) => `${folder}/${name}`),
    ),
  );
  return found.flat().filter((path) => !files.some((file) => file.path === path));
}

/** Paths whose committed text is not what the sources say now. */
export async function outdated(): Promise<string[]> {
  const files = generatedFiles();
  const texts = await Promise.all(files.map(({ path }) => readFile(join(ROOT, path), 'utf8').catch(() => undefined)));
  return [...files.filter(({ text }, i) => texts[i] !== text).map(({ path }) => path), ...(await leftovers(files))];
}

async function write({ path, text }: GeneratedFile): Promise<void> {
  await mkdir(dirname(join(ROOT, path)), { recursive: true });
  await writeFile(join(ROOT, path), text);
}

/** Writes every generated file and removes those that nothing generates any more. Returns the paths that changed. */
export async function generate(): Promise<string[]> {
  const changed = await outdated();
  const files = generatedFiles();
  await Promise.all(files.filter(({ path }) => changed.includes(path)).map(write));
  await Promise.all((await leftovers(files)).map((path) => rm(join(ROOT, path))));
  return changed;
}

if (import.meta.main) {
  const changed = await generate();
  console.log(changed.length === 0 ? 'everything is up to date' : changed.map((path) => `wrote ${path}`).join('\n'));
}
