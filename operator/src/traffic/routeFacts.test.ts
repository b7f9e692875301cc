import { describe, expect, test } from 'vitest';
import type { Gateway, GatewayClass, GatewayCondition, HTTPRoute } from '../api/gateway.ts';
import { type GatewayView, routeFacts, urlOf } from './routeFacts.ts';

const KEY = { namespace: 'infra', name: 'public' };
const condition = (
  type: string,
  status: 'True' | 'False' = 'True',
  observedGeneration = 2,
  reason = status === 'True' ? type : 'Wrong',
): GatewayCondition => ({ type, status, observedGeneration, reason, message: 'As the gateway says.' });

const gateway = (conditions: GatewayCondition[] = []): Gateway => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: KEY,
  spec: { gatewayClassName: 'c', listeners: [{ name: 'http', port: 8080, protocol: 'HTTP' }] },
  status: { conditions, addresses: [{ value: '10.0.0.9' }] },
});
const classOf = (status: GatewayClass['status'] = {}): GatewayClass => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GatewayClass',
  metadata: { name: 'c' },
  spec: { controllerName: 'example.com/c' },
  status,
});
const seen = (view: Partial<GatewayView> = {}): GatewayView => ({
  key: KEY,
  gateway: gateway(),
  gatewayClass: classOf(),
  ...view,
});

type Parents = NonNullable<HTTPRoute['status']>['parents'];
const parent = (conditions: GatewayCondition[], ref: object = KEY): Parents[number] => ({
  parentRef: { ...KEY, ...ref },
  controllerName: 'c',
  conditions,
});
const route = (...parents: Parents): HTTPRoute => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'flights', namespace: 'ml', generation: 2 },
  spec: {
    parentRefs: [KEY],
    rules: [
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/' },
            headers: [{ type: 'Exact', name: 'x-cohort', value: 'beta' }],
          },
        ],
        backendRefs: [{ name: 'flights-v2', port: 80, weight: 1 }],
      },
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backendRefs: [
          { name: 'flights-v1', port: 80, weight: 9500 },
          { name: 'flights-v2', port: 80, weight: 500 },
        ],
      },
    ],
  },
  status: { parents },
});
const good = [condition('Accepted'), condition('ResolvedRefs')];
const ROOT = { pathPrefix: '/' };
const facts = (found: HTTPRoute | undefined, view: Partial<GatewayView> = {}, shape = ROOT) =>
  routeFacts(seen(view), shape, found);

test.each<[string, ReturnType<typeof routeFacts>, object]>([
  [
    'a Gateway that is not there',
    facts(route(parent(good)), { gateway: 'Missing', gatewayClass: undefined }),
    {
      state: 'Refused',
      reason: 'GatewayNotFound',
      message: 'There is no Gateway infra/public: create it, or name another one.',
    },
  ],
  [
    'a Gateway that its class refuses',
    facts(route(parent(good)), { gateway: gateway([condition('Accepted', 'False')]) }),
    { state: 'Refused', reason: 'GatewayNotAccepted' },
  ],
  ['no route', facts(undefined), { state: 'Absent' }],
  ['a route nobody spoke about', facts(route()), { state: 'Pending' }],
  ['a route that only another parent accepted', facts(route(parent(good, { name: 'other' }))), { state: 'Pending' }],
  [
    'an accepted route, with its weights and header routes told apart',
    facts(route(parent(good))),
    {
      state: 'Programmed',
      weights: { v1: 9500, v2: 500 },
      routes: [{ header: { 'x-cohort': 'beta' }, revision: 'v2' }],
    },
  ],
  [
    'a Gateway out of sight with an accepted route',
    facts(route(parent(good)), { gateway: 'Unseen', gatewayClass: undefined }),
    { state: 'Programmed' },
  ],
  [
    'argo-rollouts#701: an acceptance of an older generation',
    facts(route(parent([condition('Accepted', 'True', 1), condition('ResolvedRefs', 'True', 1)]))),
    { state: 'Pending' },
  ],
  [
    'argo-rollouts#3779: a second listener that lags behind the first',
    facts(
      route(
        parent(good, { sectionName: 'a' }),
        parent([condition('Accepted', 'True', 1), condition('ResolvedRefs', 'True', 1)], { sectionName: 'b' }),
      ),
    ),
    { state: 'Pending' },
  ],
  [
    'a second listener that refuses',
    facts(route(parent(good), parent([condition('Accepted', 'False'), condition('ResolvedRefs')]))),
    { state: 'Refused', reason: 'RouteNotAccepted' },
  ],
  [
    'a refusal of an older generation',
    facts(route(parent([condition('Accepted', 'False', 1), condition('ResolvedRefs')]))),
    { state: 'Pending' },
  ],
  [
    'backends that do not resolve',
    facts(route(parent([condition('Accepted'), condition('ResolvedRefs', 'False')]))),
    { state: 'Refused', reason: 'RouteNotAccepted' },
  ],
  [
    'a route that is taken in part',
    facts(route(parent([...good, condition('PartiallyInvalid')]))),
    { state: 'Refused', reason: 'RouteNotAccepted' },
  ],
  [
    'a host that no listener has',
    facts(route(parent([condition('Accepted', 'False', 2, 'NoMatchingListenerHostname'), condition('ResolvedRefs')]))),
    {
      state: 'Refused',
      message:
        'Gateway infra/public refuses the route (NoMatchingListenerHostname): As the gateway says: write in spec.traffic.hostnames a host of one of its listeners.',
    },
  ],
  [
    'a refusal that nobody here knows, in the words of the gateway',
    facts(route(parent([condition('Accepted', 'False', 2, 'Conflicted'), condition('ResolvedRefs')]))),
    { message: 'Gateway infra/public refuses the route (Conflicted): As the gateway says.' },
  ],
  [
    'a class that nobody installed, while nobody answers',
    facts(route(), { gatewayClass: undefined }),
    { state: 'Pending', caveat: 'There is no GatewayClass c, which the Gateway names: install it.' },
  ],
  [
    'a class that its controller refuses, while nobody answers',
    facts(undefined, { gatewayClass: classOf({ conditions: [condition('Accepted', 'False')] }) }),
    { state: 'Absent', caveat: 'GatewayClass c is not accepted (Wrong): As the gateway says.' },
  ],
])('%s', (_sentence, found, want) => expect(found).toMatchObject(want));

describe('a path prefix, which needs more than the core', () => {
  const PREFIX = { pathPrefix: '/flights' };
  const of = (supportedFeatures?: (string | { name: string })[]) =>
    facts(
      route(parent(good)),
      { gatewayClass: classOf(supportedFeatures === undefined ? {} : { supportedFeatures }) },
      PREFIX,
    );

  test('is refused where the class says that it can not', () => {
    expect(of([{ name: 'HTTPRoute' }])).toEqual({
      state: 'Refused',
      reason: 'FeatureNotSupported',
      message:
        'GatewayClass c does not support HTTPRoutePathRewrite, which spec.traffic.pathPrefix needs: write pathPrefix: / and a host of its own in spec.traffic.hostnames.',
    });
  });

  test.each([
    ['objects', [{ name: 'HTTPRoutePathRewrite' }]],
    ['plain names, as CRDs before v1.3 have them', ['HTTPRoutePathRewrite']],
  ])('is taken where the class lists it as %s', (_, listed) => {
    expect(of(listed)).not.toHaveProperty('caveat');
    expect(of(listed).state).toBe('Programmed');
  });

  test.each([
    ['keeps silent', undefined],
    ['lists nothing', []],
  ])('is tried where the class %s, and said to be unsure', (_, listed) => {
    expect(of(listed)).toMatchObject({
      state: 'Programmed',
      caveat:
        'GatewayClass c does not say which features it supports, so only the core is sure: spec.traffic.pathPrefix needs HTTPRoutePathRewrite.',
    });
  });

  test('asks for nothing as /', () => {
    expect(
      facts(route(parent(good)), { gatewayClass: classOf({ supportedFeatures: [{ name: 'HTTPRoute' }] }) }),
    ).toEqual({
      state: 'Programmed',
      weights: { v1: 9500, v2: 500 },
      routes: [{ header: { 'x-cohort': 'beta' }, revision: 'v2' }],
    });
  });
});

describe('the URL of a service', () => {
  test.each([
    ['the address of the Gateway', gateway(), [], '/', 'http://10.0.0.9:8080'],
    ['its own host and path', gateway(), ['*.x.example', 'flights.example'], '/v1', 'http://flights.example:8080/v1'],
    ['unknown without a Gateway', undefined, ['flights.example'], '/', undefined],
  ] as const)('is %s', (_what, at, hostnames, path, want) => expect(urlOf(at, hostnames, path)).toBe(want));
});
