import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type ApiAccess, callApi } from './api.ts';
import { until } from './until.ts';

interface Definition {
  readonly kind?: string;
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** The CustomResourceDefinitions in a folder's YAML files; none when the folder has none. */
async function definitionsIn(folder: string): Promise<Definition[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const objects = texts.flatMap((text) =>
    parseAllDocuments(text).map((document) => document.toJS() as Definition | null),
  );
  return objects.filter((object) => object?.kind === 'CustomResourceDefinition') as Definition[];
}

/** Applies every CustomResourceDefinition of the folder and waits until the server serves them. */
export async function installDefinitions(access: ApiAccess, folder: string): Promise<string[]> {
  return applyDefinitions(access, await definitionsIn(folder));
}

/** Applies the CustomResourceDefinitions and waits until the server serves them. */
export async function applyDefinitions(access: ApiAccess, definitions: readonly Definition[]): Promise<string[]> {
  await Promise.all(definitions.map((definition) => install(access, definition)));
  return definitions.map(({ metadata }) => metadata.name);
}

async function install(access: ApiAccess, definition: Definition): Promise<void> {
  const { name } = definition.metadata;
  const answer = await callApi(access, {
    method: 'PATCH',
    path: `${PATH}/${name}?fieldManager=slipway-local-cluster&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(definition),
  });
  if (answer.status >= 300) throw new Error(`The API server refuses ${name}: ${answer.body}`);
  await until(() => isEstablished(access, name), { what: `waiting for ${name} to be served`, timeoutMs: 30_000 });
}

async function isEstablished(access: ApiAccess, name: string): Promise<boolean> {
  const { body } = await callApi(access, { method: 'GET', path: `${PATH}/${name}` });
  const { status } = JSON.parse(body) as Definition;
  return status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') ?? false;
}
