import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { type InferenceService, inferenceServices } from '../../src/api/kinds.ts';
import type { Client } from '../../src/kube/client.ts';
import type { Stored } from '../../src/kube/wire.ts';
import type { Source } from '../manifestArguments.ts';
import { UsageError } from '../usageError.ts';

/** The one InferenceService of a file, among whatever else stands in it. */
export function serviceIn(text: string, path: string): InferenceService {
  const documents = parseAllDocuments(text);
  const fault = documents.flatMap(({ errors }) => errors)[0];
  if (fault !== undefined) throw new UsageError(`${path} is no YAML: ${fault.message.split('\n')[0]}`);
  const found = documents
    .map((document) => document.toJS() as InferenceService | null)
    .filter((object) => object?.kind === 'InferenceService' && object.apiVersion?.startsWith('slipway.dev/'));
  const [service, another] = found;
  if (service === undefined || service === null || another !== undefined) {
    throw new UsageError(`${path} must hold one InferenceService of slipway.dev, and holds ${found.length}.`);
  }
  return service;
}

interface Where {
  readonly client: Client;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EISDIR: 'is a folder, and one file is read',
  EACCES: 'may not be read by you',
};

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new UsageError(`${path} ${UNREADABLE[code] ?? `can't be read (${message})`}: write -f FILE.`);
  }
}

/**
 * The service as it stands, or as the API server would make it of the file: validated and defaulted by the server
 * itself, and nothing stored. Throws what the server refuses.
 */
export async function serviceOf(
  source: Source,
  { client, namespace, signal }: Where,
): Promise<Stored<InferenceService>> {
  if (source.kind === 'file') {
    const written = serviceIn(await textOf(source.path), source.path);
    const metadata = { ...written.metadata, namespace: written.metadata.namespace ?? namespace };
    const options = { fieldManager: 'kubectl-slipway', dryRun: true, signal };
    return client.apply(inferenceServices, { ...written, metadata }, options);
  }
  const found = await client.get(inferenceServices, { namespace, name: source.name }, { signal });
  if (found === undefined) {
    throw new Error(
      `There is no infs/${source.name} in namespace ${namespace}; name another with -n, or a file with -f.`,
    );
  }
  return found;
}
