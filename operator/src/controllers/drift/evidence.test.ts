import { ADMIN_PATHS } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { evidenceDocument } from '../../../test/evidenceDocument.ts';
import type { Pod } from '../../api/builtin.ts';
import type { InferenceService } from '../../api/kinds.ts';
import { baseline, numeric } from '../../domain/drift/builders.ts';
import type { Stored } from '../../kube/wire.ts';
import type { FetchText } from '../../measure/fetchText.ts';
import { baselineFrom, evidenceOf, servingPods, stablePods } from './evidence.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const signal = new AbortController().signal;
const addresses = [
  { uid: 'a', ip: '10.0.0.1' },
  { uid: 'b', ip: 'fd00::2' },
  { uid: 'c', ip: '10.0.0.3' },
  { uid: 'd', ip: '10.0.0.4' },
];

/** Answers by host, and a list of what was asked. */
function answering(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const fetchText: FetchText = async (url, token) => {
    asked.push(`${token} ${url}`);
    const answer = answers[new URL(url).hostname];
    return answer === undefined ? undefined : JSON.stringify(answer);
  };
  return { asked, asking: { fetchText, token: 'secret', signal } };
}

test('each pod is asked with the token; who does not answer or runs something else is left out', async () => {
  const other = evidenceDocument({ model: { name: 'flights', version: '1.0.0', digest: `sha256:${'2'.repeat(64)}` } });
  const { asked, asking } = answering({
    '10.0.0.1': evidenceDocument(),
    '[fd00::2]': evidenceDocument(),
    '10.0.0.3': other,
  });
  const read = await evidenceOf(addresses, DIGEST, asking);
  expect(read.map(([{ uid }]) => uid).sort()).toEqual(['a', 'b']);
  expect(asked).toContain(`secret http://[fd00::2]:9090${ADMIN_PATHS.evidence}`);
  expect(asked).toHaveLength(4);
});

test('the baseline is taken from the first of three pods that gives one', async () => {
  const of = baseline([numeric('distance', [1, 2, 3])]);
  const { asked, asking } = answering({ '10.0.0.1': { schema: 'something else' }, '10.0.0.3': of });
  expect(await baselineFrom(addresses, asking)).toEqual(of);
  expect(asked.map((line) => line.replace(/.*:9090/, ''))).toEqual(
    Array.from({ length: 3 }, () => ADMIN_PATHS.baseline),
  );
  const { asking: silent, asked: last } = answering({ '10.0.0.4': of });
  expect(await baselineFrom(addresses, silent)).toBeUndefined();
  expect(last).toHaveLength(3);
});

const pod = (revision: string, status: Pod['status']): Stored<Pod> =>
  ({
    metadata: {
      uid: `${revision}-${status?.podIP}`,
      namespace: 'shop',
      labels: { 'slipway.dev/inference-service': 'flights', 'slipway.dev/revision': revision },
    },
    status,
  }) as unknown as Stored<Pod>;

test('pods of the stable revision that run and have an address are read, those of a candidate not', () => {
  const all = [
    pod('r1', { phase: 'Running', podIP: '10.0.0.1' }),
    pod('r1', { phase: 'Pending' }),
    pod('r1', { phase: 'Failed', podIP: '10.0.0.9' }),
    pod('r2', { phase: 'Running', podIP: '10.0.0.2' }),
  ];
  const by = (index: string, value: string) =>
    all.filter((each) => servingPods.indexes?.[index]?.(each as never).includes(value));
  const infs = { metadata: { namespace: 'shop', name: 'flights' }, status: { stable: { revision: 'r1' } } };
  expect(stablePods({ by }, infs as unknown as Stored<InferenceService>)).toEqual([
    { uid: 'r1-10.0.0.1', ip: '10.0.0.1' },
  ]);
});
