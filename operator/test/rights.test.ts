import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

const CONFIG = join(import.meta.dirname, '..', '..', 'config');

interface Manifest {
  readonly kind?: string;
  readonly rules?: readonly { readonly resources?: readonly string[]; readonly verbs?: readonly string[] }[];
}

/** Each object that a cluster gets from config/, samples left out. */
const manifests: readonly Manifest[] = readdirSync(CONFIG, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml') && !file.startsWith('samples'))
  .flatMap((file) => parseAllDocuments(readFileSync(join(CONFIG, file), 'utf8')).map((one) => one.toJS() as Manifest));

const roles = manifests.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');

describe('what the operator costs the API server', () => {
  test.each(['secrets', 'configmaps'])(
    'kserve#3467: %s are read by name and never listed or watched, however many there are',
    (resource) => {
      const verbs = roles.flatMap(({ rules = [] }) => rules).filter(({ resources }) => resources?.includes(resource));
      expect(verbs.length).toBeGreaterThan(0);
      expect(verbs.flatMap((rule) => rule.verbs ?? []).filter((verb) => /^(list|watch|\*)$/.test(verb))).toEqual([]);
    },
  );

  test('opendatahub-operator#499: no webhook stands between people and their objects, so none can time out', () => {
    const kinds = new Set(manifests.map(({ kind }) => kind));
    expect(kinds).toContain('ValidatingAdmissionPolicy');
    expect([...kinds].filter((kind) => /WebhookConfiguration$/.test(kind ?? ''))).toEqual([]);
  });
});
