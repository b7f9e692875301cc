import { expect, test } from 'vitest';
import type { EvidenceQuestion } from '../../measure/source.ts';
import { evidenceSource } from './evidenceSource.ts';

const NOON = new Date('2030-01-01T12:00:00Z');
const question: EvidenceQuestion = {
  service: { namespace: 'ml', name: 'flights' },
  model: 'flights',
  rolloutID: 'r',
  startedAt: NOON,
  step: '1',
  stepStartedAt: NOON,
  candidate: 'new',
  token: 'secret',
  pods: [{ uid: 'a', name: 'flights-new-0', ip: '10.0.0.1', revision: 'new' }],
  thresholdsMs: [],
  predictions: false,
  poll: () => undefined,
};

test.each([
  [{ evidenceSource: 'pods', prometheusUrl: 'http://p:9090' }, 'http://10.0.0.1:9090/slipway/v1/evidence'],
  [{ evidenceSource: 'prometheus', prometheusUrl: 'http://p:9090' }, 'http://p:9090'],
] as const)('with %o evidence is asked of %s', async (config, where) => {
  const asked: string[] = [];
  const fetchText = async (url: string) => void asked.push(url) as undefined;
  const query = async (server: string) => {
    asked.push(server);
    return { kind: 'Unreachable', message: '' } as const;
  };
  const source = evidenceSource(config, { fetchText, query }, () => NOON);
  await source.read(question, new AbortController().signal);
  expect(asked).toEqual([where]);
  expect(source.asksPods).toBe(config.evidenceSource === 'pods');
});
