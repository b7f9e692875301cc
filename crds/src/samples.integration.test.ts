import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { API_VERSION } from './contract.ts';
import { manifestSchema } from './kind.ts';
import type { Case } from './testing/cases.ts';
import { testServer } from './testing/server.ts';
import { KINDS } from './v1alpha1/kinds.ts';

const NAMESPACE = 'samples-test';
const SAMPLES = join(import.meta.dirname, '..', '..', 'config', 'samples');
const server = testServer(inject('kubeconfig'), NAMESPACE);

interface Sample extends Case {
  readonly manifest: Case['manifest'] & { readonly apiVersion: string; readonly kind: string };
}

const samples: readonly Sample[] = globSync('**/*.yaml', { cwd: SAMPLES }).flatMap((file) =>
  parseAllDocuments(readFileSync(join(SAMPLES, file), 'utf8')).flatMap((document) => {
    const manifest = document.toJS() as Sample['manifest'];
    const kind = KINDS.find((known) => known.kind === manifest.kind && manifest.apiVersion === API_VERSION);
    return kind === undefined ? [] : [{ name: file, kind, manifest }];
  }),
);
const ROLLOUTS = ['blue-green', 'shadow-canary', 'ab-test', 'without-gateway', 'scheduled'];

beforeAll(async () => {
  await server.post('/api/v1/namespaces', { metadata: { name: NAMESPACE } });
});

test('there is a sample of each strategy', () => {
  const named = samples.map(({ name }) => name);
  expect(ROLLOUTS.map((name) => `rollouts/${name}.yaml`).filter((name) => !named.includes(name))).toEqual([]);
});

describe('a sample is taken as it stands, by the API server and by zod', () => {
  test.each(samples)('$name', async ({ kind, manifest }) => {
    const { namespace: _, ...metadata } = manifest.metadata as Case['manifest']['metadata'] & { namespace?: string };
    const { status, reasons } = await server.create(
      kind,
      { ...manifest, metadata },
      'fieldValidation=Strict&dryRun=All',
    );
    expect({ status, reasons }).toEqual({ status: 201, reasons: [] });
    expect(manifestSchema(kind).safeParse(manifest).error).toBeUndefined();
  });
});
