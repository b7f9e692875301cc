import { EVIDENCE_SCHEMA, type Evidence, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';

const AT = '2030-01-01T12:00:00Z';

/** An evidence document of a process that started as the test does and has served nothing, but for what is given. */
export const evidenceDocument = (given: Partial<Evidence> = {}): Evidence => ({
  schema: EVIDENCE_SCHEMA,
  epoch: 'e1',
  startedAt: AT,
  at: AT,
  model: { name: 'flights', version: '1.1.0', digest: `sha256:${'1'.repeat(64)}` },
  ready: true,
  draining: false,
  inFlight: 0,
  requests: { ok: 0, clientError: 0, serverError: 0, shed: 0 },
  batches: { seconds: 0, failedSquaredOverServed: 0 },
  latency: { boundsMs: [...LATENCY_BOUNDS_MS], counts: LATENCY_BOUNDS_MS.map(() => 0).concat(0), sumMs: 0 },
  ...given,
});

export const answered = (ok: number, serverError = 0): Evidence['requests'] => ({
  ok,
  clientError: 0,
  serverError,
  shed: 0,
});

/** Served requests by how long they took: milliseconds and how many. */
export function latencies(...served: readonly (readonly [ms: number, count: number])[]): Evidence['latency'] {
  const counts: number[] = [...LATENCY_BOUNDS_MS.map(() => 0), 0];
  for (const [ms, count] of served) {
    const at = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
    const bin = at === -1 ? LATENCY_BOUNDS_MS.length : at;
    counts[bin] = (counts[bin] ?? 0) + count;
  }
  return { boundsMs: [...LATENCY_BOUNDS_MS], counts, sumMs: served.reduce((sum, [ms, n]) => sum + ms * n, 0) };
}

export const binned = (name: string, counts: readonly number[]) => ({
  name,
  counts: [...counts],
  missing: 0,
  nonFinite: 0,
  outOfRange: 0,
  unseen: 0,
});
