import { expect, test } from 'vitest';
import { evidenceSourceContract, type SourceUnderTest } from './contract.suite.ts';
import { PodEvidence } from './pods.ts';
import type { QueryAnswer } from './prometheus/answer.ts';
import { PrometheusEvidence } from './prometheus/prometheusEvidence.ts';
import { scraped } from './prometheus/testing/exposition.ts';
import type { PodAddress } from './source.ts';

type Tells = Parameters<SourceUnderTest['tells']>[1];

function clock() {
  let now = Date.parse('2030-01-01T12:00:00Z');
  return {
    now: () => new Date(now),
    pass: async (ms: number) => {
      now += ms;
    },
    end: async () => undefined,
  };
}

evidenceSourceContract('the pods', async () => {
  const told = new Map<string, Tells>();
  const { now, pass, end } = clock();
  const source = new PodEvidence({
    fetchText: async (url) => {
      const document = told.get(new URL(url).hostname);
      return document && JSON.stringify({ ...document, at: now().toISOString() });
    },
    now,
  });
  return { source, tells: ({ ip }: PodAddress, document) => void told.set(ip, document), pass, now, end };
});

evidenceSourceContract('the answers of a Prometheus', async () => {
  const told = new Map<string, Tells>();
  const { now, pass, end } = clock();
  const source = new PrometheusEvidence({
    server: 'http://p:9090',
    query: async () => ({
      kind: 'Vector',
      samples: [...told].flatMap(([pod, document]) => (document === undefined ? [] : scraped(pod, document))),
    }),
    now,
  });
  return { source, tells: ({ name }: PodAddress, document) => void told.set(name, document), pass, now, end };
});

test('a pass waits no longer for a Prometheus that hangs than for a pod', async () => {
  const { now } = clock();
  const query = (_server: string, _query: string, within: AbortSignal) =>
    new Promise<QueryAnswer>((resolve) => {
      within.addEventListener('abort', () => resolve({ kind: 'Unreachable', message: 'no answer in time' }));
    });
  const source = new PrometheusEvidence({ server: 'http://p:9090', query, now, passMs: 10 });
  const pods = [{ uid: 'a', name: 'a', ip: '10.0.0.1', revision: 'new' }];
  const question = {
    service: { namespace: 'ml', name: 'flights' },
    model: 'flights',
    rolloutID: 'r',
    startedAt: now(),
    step: '1',
    stepStartedAt: now(),
    candidate: 'new',
    token: '',
    pods,
    thresholdsMs: [],
    predictions: false,
    poll: () => undefined,
  };
  const { new: evidence } = await source.read(question, new AbortController().signal);
  expect(evidence).toMatchObject({ answering: 0, sinceRollout: { ok: 0 } });
});
