import { LABELS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pod, Service } from '../api/builtin.ts';
import type { EndpointSlice } from '../api/endpointSlices.ts';
import { endpointFacts, sharesOf } from './endpointFacts.ts';

const service = (revision?: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'flights' },
  spec: { selector: { app: 'a', ...(revision === undefined ? {} : { [LABELS.revision]: revision }) } },
});
const pod = (revision: string, index = 0, ready = true): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${revision}-${index}`, labels: { [LABELS.revision]: revision } },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const going = (of: Pod): Pod => ({ ...of, metadata: { ...of.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } });
const pods = (revision: string, count: number): Pod[] => Array.from({ length: count }, (_, i) => pod(revision, i));
const slice = (names: readonly string[], of = 'flights', ready = true): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${of}-x`, labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  endpoints: names.map((name) => ({
    addresses: ['10.0.0.1'],
    conditions: { ready },
    targetRef: { kind: 'Pod', name },
  })),
});
const named = (of: readonly Pod[]): string[] => of.map(({ metadata }) => metadata.name);

const both = [...pods('v1', 3), ...pods('v2', 1)];
const stableOnly = pods('v1', 3);

test.each<[string, ReturnType<typeof endpointFacts>, object]>([
  ['no Service', endpointFacts(undefined, both, []), { state: 'Absent' }],
  ['a Service without addresses', endpointFacts(service('v1'), stableOnly, []), { state: 'Pending' }],
  [
    'a Service of one revision',
    endpointFacts(service('v1'), both, [slice(named(stableOnly))]),
    { state: 'Programmed', weights: { v1: 10_000 }, pods: { v1: 3 } },
  ],
  [
    'a Service of all of them',
    endpointFacts(service(), both, [slice(named(both))]),
    { state: 'Programmed', weights: { v1: 7500, v2: 2500 }, pods: { v1: 3, v2: 1 } },
  ],
  [
    'pods in slices of two address families, which count once',
    endpointFacts(service(), both, [slice(named(both)), slice(named(both))]),
    { state: 'Programmed', pods: { v1: 3, v2: 1 } },
  ],
  [
    'slices of another Service of the same pods',
    endpointFacts(service('v1'), both, [slice(named(stableOnly)), slice(['v2-0'], 'flights-v2')]),
    { state: 'Programmed', weights: { v1: 10_000 } },
  ],
  [
    'argo-rollouts#3779: slices that still list what is no longer selected',
    endpointFacts(service('v1'), both, [slice(named(both))]),
    { state: 'Pending' },
  ],
  [
    'slices that do not list yet what is newly selected',
    endpointFacts(service(), both, [slice(named(stableOnly))]),
    { state: 'Pending' },
  ],
  [
    'a candidate that is selected and not ready, which gets nothing',
    endpointFacts(service(), [...stableOnly, pod('v2', 0, false)], [slice(named(stableOnly))]),
    { state: 'Programmed', weights: { v1: 10_000 } },
  ],
  [
    'addresses that are not ready',
    endpointFacts(service('v1'), stableOnly, [slice(named(stableOnly), 'flights', false)]),
    { state: 'Pending' },
  ],
  [
    'a pod on its way out that nobody waits for',
    endpointFacts(service(), [...stableOnly, going(pod('v2'))], [slice(named(stableOnly))]),
    { state: 'Programmed', weights: { v1: 10_000 } },
  ],
  [
    'an address of a pod that nobody here knows',
    endpointFacts(service('v1'), stableOnly, [slice([...named(stableOnly), 'stranger'])]),
    { state: 'Pending' },
  ],
  [
    'a pod on its way out that requests still reach',
    endpointFacts(service('v1'), [...stableOnly, going(pod('v2'))], [slice([...named(stableOnly), 'v2-0'])]),
    { state: 'Pending' },
  ],
])('%s', (_, facts, want) => expect(facts).toMatchObject(want));

describe('shares of pods', () => {
  test('add up to 10,000 and are never further from the truth than one', () => {
    const counts = fc.dictionary(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 500 }), {
      minKeys: 1,
      maxKeys: 5,
    });
    fc.assert(
      fc.property(counts, (of) => {
        const shares = sharesOf(of);
        const total = Object.values(of).reduce((sum, n) => sum + n, 0);
        expect(Object.values(shares).reduce((sum, n) => sum + n, 0)).toBe(10_000);
        for (const [name, n] of Object.entries(of)) {
          expect(Math.abs((shares[name] ?? 0) - (n * 10_000) / total)).toBeLessThan(1);
        }
      }),
    );
  });
});
