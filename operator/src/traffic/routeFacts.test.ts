import { describe, expect, test } from 'vitest';
import type { Gateway, GatewayCondition, HTTPRoute } from '../api/gateway.ts';
import { routeFacts, urlOf } from './routeFacts.ts';

const KEY = { namespace: 'infra', name: 'public' };
const condition = (type: string, status: 'True' | 'False' = 'True', observedGeneration = 2): GatewayCondition => ({
  type,
  status,
  observedGeneration,
  reason: status === 'True' ? type : 'Wrong',
  message: 'as the gateway says',
});
const gateway = (conditions: GatewayCondition[] = []): Gateway => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: KEY,
  spec: { gatewayClassName: 'c', listeners: [{ name: 'http', port: 8080, protocol: 'HTTP' }] },
  status: { conditions, addresses: [{ value: '10.0.0.9' }] },
});
const route = (conditions?: GatewayCondition[], parent = KEY): HTTPRoute => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'flights', namespace: 'ml', generation: 2 },
  spec: {
    parentRefs: [KEY],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backendRefs: [
          { name: 'flights-v1', port: 80, weight: 9500 },
          { name: 'flights-v2', port: 80, weight: 500 },
        ],
      },
    ],
  },
  ...(conditions === undefined
    ? {}
    : { status: { parents: [{ parentRef: parent, controllerName: 'c', conditions }] } }),
});
const good = [condition('Accepted'), condition('ResolvedRefs')];

test.each<[string, ReturnType<typeof routeFacts>, object]>([
  ['no Gateway named', routeFacts(undefined, 'Missing', undefined), { state: 'Refused', reason: 'GatewayNotNamed' }],
  [
    'a Gateway that is not there',
    routeFacts(KEY, 'Missing', route(good)),
    { state: 'Refused', reason: 'GatewayNotFound', message: 'There is no Gateway infra/public.' },
  ],
  [
    'a Gateway that its class refuses',
    routeFacts(KEY, gateway([condition('Accepted', 'False')]), route(good)),
    { state: 'Refused', reason: 'GatewayNotAccepted' },
  ],
  ['no route', routeFacts(KEY, gateway(), undefined), { state: 'Absent' }],
  ['a route nobody spoke about', routeFacts(KEY, gateway(), route()), { state: 'Pending' }],
  [
    'a route that only another parent accepted',
    routeFacts(KEY, gateway(), route(good, { namespace: 'infra', name: 'other' })),
    { state: 'Pending' },
  ],
  [
    'an accepted route',
    routeFacts(KEY, gateway(), route(good)),
    { state: 'Programmed', weights: { v1: 9500, v2: 500 } },
  ],
  ['a Gateway out of sight with an accepted route', routeFacts(KEY, 'Unseen', route(good)), { state: 'Programmed' }],
  [
    'an acceptance of an older generation',
    routeFacts(KEY, gateway(), route([condition('Accepted', 'True', 1), condition('ResolvedRefs', 'True', 1)])),
    { state: 'Pending' },
  ],
  [
    'a refusal of an older generation',
    routeFacts(KEY, gateway(), route([condition('Accepted', 'False', 1), condition('ResolvedRefs')])),
    { state: 'Pending' },
  ],
  [
    'backends that do not resolve',
    routeFacts(KEY, gateway(), route([condition('Accepted'), condition('ResolvedRefs', 'False')])),
    { state: 'Refused', reason: 'RouteNotAccepted' },
  ],
  [
    'a route that is taken in part',
    routeFacts(KEY, gateway(), route([...good, condition('PartiallyInvalid')])),
    { state: 'Refused', reason: 'RouteNotAccepted' },
  ],
])('%s', (_sentence, facts, want) => expect(facts).toMatchObject(want));

describe('the URL of a service', () => {
  test.each([
    ['the address of the Gateway', gateway(), [], '/', 'http://10.0.0.9:8080'],
    ['its own host and path', gateway(), ['*.x.example', 'flights.example'], '/v1', 'http://flights.example:8080/v1'],
    ['unknown without a Gateway', undefined, ['flights.example'], '/', undefined],
  ] as const)('is %s', (_what, at, hostnames, path, want) => expect(urlOf(at, hostnames, path)).toBe(want));
});
