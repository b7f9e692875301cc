import { inferenceServiceSpecSchema } from '@slipway/crds';
import { API_VERSION, PREVIEW_HEADER } from '@slipway/crds/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HTTPRoute, RouteMatch } from '../api/gateway.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { HeaderRoute } from '../domain/rollout/world.ts';
import type { Stored } from '../kube/wire.ts';
import { isAsApplied, stamped } from './applied.ts';
import { httpRoute, type RouteShape, type RouteSplit, shapeOf, splitOf } from './route.ts';

const infs: Stored<InferenceService> = {
  apiVersion: API_VERSION,
  kind: 'InferenceService',
  metadata: { name: 'flights', namespace: 'ml', uid: 'u', resourceVersion: '1' },
  spec: inferenceServiceSpecSchema.parse({ model: { name: 'flights', version: '1.0.0' } }),
};
const gateway = { namespace: 'infra', name: 'public' };
const shape: RouteShape = { parents: [gateway], hostnames: [], pathPrefix: '/', named: false };
const backends = [
  { revision: 'v1', weight: 9500 },
  { revision: 'v2', weight: 500 },
];
const beta: HeaderRoute = { header: { 'x-cohort': 'beta' }, revision: 'v2' };
const preview: HeaderRoute = { header: { [PREVIEW_HEADER.name]: PREVIEW_HEADER.value }, revision: 'v2' };
const split: RouteSplit = { backends, routes: [] };

describe('a route', () => {
  test('names the Services of its revisions with their weights', () => {
    expect(httpRoute(infs, shape, split).spec).toEqual({
      parentRefs: [gateway],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [
            { name: 'flights-v1', port: 80, weight: 9500 },
            { name: 'flights-v2', port: 80, weight: 500 },
          ],
        },
      ],
    });
  });

  test('is known to be as applied, defaults of the server and all, until something of it changes', () => {
    const wanted = stamped(httpRoute(infs, shape, split));
    const found = structuredClone({ ...wanted, status: { parents: [] } });
    Object.assign(found.spec.parentRefs[0] ?? {}, { group: 'gateway.networking.k8s.io' });
    expect(isAsApplied(found, wanted)).toBe(true);
    expect(isAsApplied(found, stamped(httpRoute(infs, shape, { backends: backends.slice(0, 1), routes: [] })))).toBe(
      false,
    );
    expect(isAsApplied(found, stamped(httpRoute(infs, shape, { backends, routes: [beta] })))).toBe(false);
    expect(isAsApplied(stamped(httpRoute(infs, { ...shape, pathPrefix: '/x' }, split)), wanted)).toBe(false);
    expect(isAsApplied(undefined, wanted)).toBe(false);
    Object.assign(found.spec.rules[0]?.backendRefs[0] ?? {}, { weight: 1 });
    expect(isAsApplied(found, wanted)).toBe(false);
  });

  test('has a rule for each header route, on the same path, rewritten alike', () => {
    const { rules } = httpRoute(infs, { ...shape, pathPrefix: '/flights' }, { backends, routes: [beta] }).spec;
    const path = { type: 'PathPrefix', value: '/flights' };
    expect(rules.map(({ matches, backendRefs }) => [matches, backendRefs.map(({ name }) => name)])).toEqual([
      [[{ path }], ['flights-v1', 'flights-v2']],
      [[{ path, headers: [{ type: 'Exact', name: 'x-cohort', value: 'beta' }] }], ['flights-v2']],
    ]);
    expect(rules[0]?.filters).toEqual(rules[1]?.filters);
  });

  test('keeps the weighted rule first: a gateway that knows backends by its place must not give a preview to everybody', () => {
    const [none, some] = [[], [preview, beta]].map((routes) => httpRoute(infs, shape, { backends, routes }).spec.rules);
    expect(some?.[0]).toEqual(none?.[0]);
  });

  test('names its rules where the gateway knows names, and nowhere else', () => {
    const of = (named: boolean) =>
      httpRoute(infs, { ...shape, named }, { backends, routes: [preview, beta] }).spec.rules.map(({ name }) => name);
    expect(of(true)).toEqual(['weights', 'preview', 'header-2']);
    expect(of(false)).toEqual([undefined, undefined, undefined]);
  });

  test.each<[string, RouteSplit]>([
    [
      'flagger#1647: sessions that stick to the candidate',
      { backends: [{ revision: 'v1', weight: 10_000 }], routes: [] },
    ],
    [
      'flagger#1532: a cohort that is kept on stable by header',
      {
        backends: [{ revision: 'v1', weight: 10_000 }],
        routes: [{ header: { 'x-cohort': 'control' }, revision: 'v1' }],
      },
    ],
  ])('%s: a revision that is not named is in no byte of the write, at no weight (GEP-1619)', (_, rolledBack) => {
    const before = httpRoute(infs, shape, { backends, routes: [preview, beta] });
    expect(JSON.stringify(before)).toContain('flights-v2');
    expect(JSON.stringify(stamped(httpRoute(infs, shape, rolledBack)))).not.toContain('v2');
  });

  test.each([
    ['weights', split],
    ['a preview', { backends: backends.slice(0, 1), routes: [preview] }],
    ['header routes', { backends, routes: [beta] }],
  ])('kserve#2978, plugin-gatewayapi#32: %s need no filter of the gateway: it is pods that copy requests', (_, of) => {
    expect(httpRoute(infs, shape, of).spec.rules.flatMap(({ filters = [] }) => filters)).toEqual([]);
  });

  test('argo-rollouts#2463, #3854: after a rollout the route is what a service without one has, and nothing is left over', () => {
    const only = (revision: string): RouteSplit => ({ backends: [{ revision, weight: 10_000 }], routes: [] });
    const after = JSON.stringify(httpRoute(infs, shape, only('v2')));
    expect(after.replaceAll('v2', 'v1')).toBe(JSON.stringify(httpRoute(infs, shape, only('v1'))));
  });

  test('plugin-gatewayapi#208: a rollout adds no label that comes and goes: only the rules differ', () => {
    const { spec: during, ...others } = httpRoute(infs, shape, { backends, routes: [preview, beta] });
    const { spec: before, ...same } = httpRoute(infs, shape, { backends: backends.slice(0, 1), routes: [] });
    expect(others).toEqual(same);
    expect({ ...during, rules: [] }).toEqual({ ...before, rules: [] });
  });

  test('read back is what it was made of', () => {
    const made: RouteSplit = { backends, routes: [preview, beta] };
    const wide: RouteShape = { parents: [gateway], hostnames: ['a.example'], pathPrefix: '/flights', named: true };
    expect(splitOf(httpRoute(infs, wide, made))).toEqual(made);
    expect(shapeOf(httpRoute(infs, wide, made))).toEqual(wide);
    expect(shapeOf(httpRoute(infs, shape, split))).toEqual(shape);
  });
});

/** Where a gateway sends a request: the match with the most headers, of the first rule among equals (HTTPRoute, matches). */
function sentBy(route: HTTPRoute, request: Readonly<Record<string, string>>): string | undefined {
  const fits = ({ headers = [] }: RouteMatch): boolean => headers.every(({ name, value }) => request[name] === value);
  const all = route.spec.rules.flatMap(({ matches, backendRefs }, rule) =>
    matches.filter(fits).map((match) => ({ rule, size: match.headers?.length ?? 0, to: backendRefs[0]?.name })),
  );
  return all.toSorted((a, b) => b.size - a.size || a.rule - b.rule)[0]?.to;
}

const small = fc.constantFrom('a', 'b', 'c');
const headers = fc.dictionary(small, fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 3 });

describe('the first header route that fits counts, although gateways prefer the one with most headers', () => {
  const one = [{ revision: 'v1', weight: 10_000 }];

  test('of lists as the API takes them, a preview above them', () => {
    const lists = fc
      .array(headers, { maxLength: 8 })
      .map((all) =>
        all
          .toSorted((x, y) => Object.keys(y).length - Object.keys(x).length)
          .map((header, i): HeaderRoute => ({ header, revision: `r${i}` })),
      );
    fc.assert(
      fc.property(lists, fc.dictionary(small, fc.constantFrom('1', '2')), fc.boolean(), (users, plain, previewed) => {
        const routes = [{ ...preview, revision: 'next' }, ...users];
        const request = previewed ? { ...plain, [PREVIEW_HEADER.name]: PREVIEW_HEADER.value } : plain;
        const first = routes.find(({ header }) =>
          Object.entries(header).every(([name, value]) => (request as Record<string, string>)[name] === value),
        );
        const sent = sentBy(httpRoute(infs, shape, { backends: one, routes }), request);
        expect(sent).toBe(`flights-${first?.revision ?? 'v1'}`);
      }),
    );
  });

  test('and a route fits into what the Gateway API takes: 16 rules, 64 matches a rule, 16 headers a match', () => {
    const users = Array.from({ length: 8 }, (_, i) => ({
      header: Object.fromEntries(Array.from({ length: 8 }, (__, j) => [`x-${i}-${j}`, '1'])),
      revision: 'v2',
    }));
    const { rules } = httpRoute(infs, shape, { backends: one, routes: [preview, ...users] }).spec;
    expect(rules.length).toBeLessThanOrEqual(16);
    expect(Math.max(...rules.map(({ matches }) => matches.length))).toBeLessThanOrEqual(64);
    expect(Math.max(...rules.flatMap(({ matches }) => matches.map((m) => m.headers?.length ?? 0)))).toBeLessThanOrEqual(
      16,
    );
  });
});
