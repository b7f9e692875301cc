import { inferenceServiceSpecSchema } from '@slipway/crds';
import { evidencePollSchema, PORTS } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import type { Service } from '../../api/builtin.ts';
import type { EndpointSlice } from '../../api/endpointSlices.ts';
import type { InferenceService } from '../../api/kinds.ts';
import type { CandidateStatus } from '../../domain/rollout/world.ts';
import type { Stored } from '../../kube/wire.ts';
import { networkPolicy } from '../../render/networkPolicy.ts';
import { addressesOf } from './addresses.ts';
import type { Children } from './children.ts';
import { endpointsOf } from './endpoints.ts';
import { windowKey } from './gatherEvidence.ts';
import { NO_ORDERS, ordersOf } from './orders.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const steps = [{ shadow: 50 }, { weight: 10 }, { weight: 25 }, { weight: 100 }];
const guard = { name: 'answers', disagreement: { max: '2%', compare: 'topK', k: 3, segment: 'country' } };
const spec = (rollout: object = {}, traffic: object = {}) =>
  inferenceServiceSpecSchema.parse({
    model: { name: 'flights', version: '1.1.0' },
    rollout: { steps, ...rollout },
    traffic,
  });
const candidate = (phase: CandidateStatus['phase'], given: Partial<CandidateStatus> = {}): CandidateStatus => ({
  version: '1.1.0',
  digest: DIGEST,
  revision: 'new',
  phase,
  step: 0,
  weight: 0,
  startedAt: '2030-01-01T12:00:00Z',
  ...given,
});
const told = (is: CandidateStatus | undefined, of = spec()) => ({
  spec: of,
  status: {
    rolloutID: 'new-1',
    stable: { version: '1.0.0', digest: DIGEST, revision: 'old' },
    ...(is === undefined ? {} : { candidate: is }),
  },
});
const addressOf = (revision: string) => `http://10.96.0.1${revision === 'new' ? 1 : 0}:80`;
const ordersFor = (...given: Parameters<typeof told>) => ordersOf(told(...given), addressOf);
const sticky = spec({}, { sessionKey: { header: 'x-user-id' } });

describe('a shadow order', () => {
  test('goes to the stable pods in a shadow step, as the first disagreement guard compares', () => {
    const orders = ordersFor(candidate('Shadowing', { shadow: 50 }), spec({ guards: [guard] }));
    expect(orders.of('old').shadow).toEqual({
      id: orders.shadow,
      target: 'http://10.96.0.11:80',
      percent: 50,
      compare: 'topK',
      tolerance: 1e-3,
      k: 3,
      segment: 'country',
      expiresInSeconds: 15,
    });
    expect(orders.shadow).toMatch(/^new-1\/0\/[0-9a-f]{8}$/);
    expect(orders.of('new').shadow).toBeNull();
    expect(evidencePollSchema.safeParse(orders.of('old')).success).toBe(true);
  });

  test('has another id where answers are compared in another way, and the same at another percent', () => {
    const id = (percent: number, max: string, k: number) =>
      ordersFor(
        candidate('Shadowing', { shadow: percent }),
        spec({ guards: [{ name: 'a', disagreement: { max, compare: 'topK', k } }] }),
      ).shadow;
    expect(id(50, '2%', 3)).toBe(id(100, '5%', 3));
    expect(id(50, '2%', 3)).not.toBe(id(50, '2%', 4));
  });

  test.each<CandidateStatus['phase']>(['Preparing', 'Previewing', 'Shifting', 'Baking', 'RollingBack', 'RolledBack'])(
    'is null in %s: what was ordered before ends at once',
    (phase) => {
      const orders = ordersFor(candidate(phase, { weight: 10, step: 1 }));
      expect(orders.of('old').shadow).toBeNull();
      expect(orders.shadow).toBeUndefined();
    },
  );

  test('waits for the Service of the candidate', () => {
    const orders = ordersOf(told(candidate('Shadowing', { shadow: 50 })), () => undefined);
    expect(orders.of('old')).toEqual(NO_ORDERS);
  });
});

describe('a session order', () => {
  const shifting = candidate('Shifting', { step: 2, weight: 25 });

  test('tells both arms the same share and salt, and where the other is', () => {
    const { of } = ordersFor(shifting, sticky);
    const common = {
      id: 'new-1/2/25',
      header: 'x-user-id',
      salt: 'new-1',
      share: 2500,
      expiresInSeconds: 5,
    };
    expect(of('old').session).toEqual({ ...common, arm: 'stable', other: 'http://10.96.0.11:80' });
    expect(of('new').session).toEqual({ ...common, arm: 'candidate', other: 'http://10.96.0.10:80' });
    expect(evidencePollSchema.safeParse(of('new')).success).toBe(true);
  });

  test('names the header routes, which win over the hash of a user', () => {
    const routes = [{ header: { 'x-cohort': 'beta' }, to: 'Candidate' }];
    const { of } = ordersFor(shifting, spec({}, { sessionKey: { header: 'x-user-id' }, routes }));
    expect(of('old').session?.except).toEqual([{ 'x-cohort': 'beta' }]);
  });

  test.each<[string, CandidateStatus | undefined, typeof sticky]>([
    ['without a session key', shifting, spec()],
    ['before the first weight', candidate('Preparing'), sticky],
    ['in a shadow step', candidate('Shadowing', { shadow: 50 }), sticky],
    ['on the way back', candidate('RollingBack', { step: 2 }), sticky],
    ['after the rollout', candidate('Complete', { weight: 100 }), sticky],
    ['without a candidate', undefined, sticky],
  ])('is null %s', (_when, is, of) => {
    expect(ordersFor(is, of).of('old').session).toBeNull();
  });
});

describe('an order for a second opinion', () => {
  const asked = { guard: 'errors', startedAt: '2030-01-01T12:00:00Z', share: 444, asked: 2 };
  const at = (more: Partial<CandidateStatus> = {}) =>
    candidate('Shifting', { weight: 10, step: 1, secondOpinion: asked, ...more });

  test('goes to the stable pods, by an id that the candidate knows it by, and expires in seconds', () => {
    const orders = ordersFor(at());
    expect(orders.of('old').shadow).toMatchObject({
      id: 'second-opinion/new-1/1/2',
      target: 'http://10.96.0.11:80',
      percent: 4.44,
      expiresInSeconds: 3,
    });
    expect(orders.of('new').shadow).toBeNull();
    expect(evidencePollSchema.safeParse(orders.of('old')).success).toBe(true);
  });

  test('is no order whose comparisons are evidence', () => {
    expect(ordersFor(at()).shadow).toBeUndefined();
  });

  test.each<[string, CandidateStatus]>([
    ['that is over', at({ secondOpinion: { ...asked, endedAt: '2030-01-01T12:00:15Z' } })],
    ['of a version on its way back', at({ phase: 'RollingBack', weight: 0 })],
    ['of a version that was taken back', at({ phase: 'RolledBack', weight: 0 })],
    ['in the bake', at({ phase: 'Baking', weight: 100 })],
  ])('is null %s', (_, is) => {
    expect(ordersFor(is).of('old').shadow).toBeNull();
  });
});

test('pods of any other revision are told that every order is over', () => {
  expect(ordersFor(candidate('Shifting', { weight: 10, step: 1 }), sticky).of('other')).toEqual(NO_ORDERS);
});

const ofRevision = (name: string, revision: string, spec: object = {}): Stored<Service> =>
  ({ metadata: { name, labels: { 'slipway.dev/revision': revision } }, spec }) as unknown as Stored<Service>;
const infs = {
  apiVersion: 'slipway.dev/v1alpha1',
  kind: 'InferenceService',
  metadata: { name: 'flights', namespace: 'ml', uid: 'u', resourceVersion: '1' },
  spec: spec(),
} as Stored<InferenceService>;

describe('the address of a version', () => {
  const services = [
    ofRevision('flights-a', 'a', { clusterIP: '10.96.0.7' }),
    ofRevision('flights-b', 'b', { clusterIP: 'fd00::7' }),
    ofRevision('flights-c', 'c', { clusterIP: 'None' }),
  ];
  test.each([
    ['is the IP of its Service', 'a', 'http://10.96.0.7:80'],
    ['of IPv6 stands in brackets', 'b', 'http://[fd00::7]:80'],
    ['without an IP is a name', 'c', 'http://flights-c.ml.svc:80'],
    ['without a Service is not known', 'd', undefined],
  ])('%s', (_what, revision, want) => {
    expect(addressesOf(infs, { services } as unknown as Children)(revision)).toBe(want);
  });
});

describe('addresses in EndpointSlices', () => {
  const slice = (service: string, ...endpoints: object[]) =>
    ({
      metadata: { name: service, labels: { 'kubernetes.io/service-name': service } },
      endpoints,
    }) as unknown as Stored<EndpointSlice>;
  const endpoint = (uid: string, address: string, ready?: boolean) => ({
    addresses: [address],
    targetRef: { uid },
    ...(ready === undefined ? {} : { conditions: { ready } }),
  });
  const services = [ofRevision('flights-a', 'a')];
  const count = (...slices: Stored<EndpointSlice>[]) => endpointsOf({ services, slices } as unknown as Children, 'a');

  test('are those that are ready, a pod of two address families once', () => {
    const v4 = slice('flights-a', endpoint('p', '10.0.0.1', true), endpoint('q', '10.0.0.2', false));
    const v6 = slice('flights-a', endpoint('p', 'fd00::1', true), endpoint('r', 'fd00::3'));
    expect(count(v4, v6, slice('flights-b', endpoint('s', '10.0.0.9', true)))).toBe(2);
  });

  test('are not told where there is no slice, and are none where it is empty', () => {
    expect(count()).toBeUndefined();
    expect(count(slice('flights-a'))).toBe(0);
  });
});

test('stable pods reach the pods of a candidate: the policy of a service lets anyone ask its REST port', () => {
  const [asking, admin] = networkPolicy(infs, ['slipway-system']).spec?.ingress ?? [];
  expect(asking).toEqual({ ports: [PORTS.rest, PORTS.grpc].map((port) => ({ port, protocol: 'TCP' })) });
  expect(admin?.ports).toEqual([{ port: PORTS.admin, protocol: 'TCP' }]);
});

test('argo-rollouts#701: a window of evidence begins with each weight, once the gateway has it', () => {
  const keys = [
    windowKey(candidate('Shadowing', { shadow: 10 }), true),
    windowKey(candidate('Shadowing', { shadow: 50 }), true),
    windowKey(candidate('Previewing'), true),
    windowKey(candidate('Shifting', { weight: 10 }), false),
    windowKey(candidate('Shifting', { weight: 10 }), true),
    windowKey(candidate('Shifting', { weight: 10 }), true, false),
    windowKey(candidate('Shifting', { weight: 25 }), true),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test.each([
  [
    'a step that waits for pods or a person',
    candidate('Shifting', { step: 2, weight: 10 }),
    candidate('Shifting', { step: 1, weight: 10 }),
  ],
  ['a bake', candidate('Baking', { step: 3, weight: 100 }), candidate('Shifting', { step: 3, weight: 100 })],
])('%s goes on with the window of before', (_what, now, before) => {
  expect(windowKey(now, true)).toBe(windowKey(before, true));
});
