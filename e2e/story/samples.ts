import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';
import { parseAllDocuments } from 'yaml';

/** Objects of a sample manifest, put into `namespace`. The samples are what the README shows, so the demo runs them as they are. */
export async function sample<T extends KubeObject = KubeObject>(
  name: string,
  namespace: string,
  folder = 'flights',
): Promise<T[]> {
  const text = await readFile(join(repositoryRoot, 'config', 'samples', folder, name), 'utf8');
  return parseAllDocuments(text).map((document) => {
    const object = document.toJS() as T;
    return { ...object, metadata: { ...object.metadata, namespace } };
  });
}
