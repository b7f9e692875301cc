import { describe, expect, test, vi } from 'vitest';
import { answered, evidenceDocument, latencies } from '../../test/evidenceDocument.ts';
import type { EvidenceQuestion, EvidenceSource, PodAddress } from './source.ts';

type Document = ReturnType<typeof evidenceDocument>;

/** Pods that a source reads, and a time of their own. */
export interface SourceUnderTest {
  readonly source: EvidenceSource;
  /** What a pod tells from now on. undefined: nothing, as behind a closed port. */
  tells(pod: PodAddress, document: Document | undefined): void;
  /** Lets so much time pass for the source. */
  pass(ms: number): Promise<void>;
  readonly now: () => Date;
  end(): Promise<void>;
}

const WITHIN = { timeout: 15_000, interval: 20 };
const pod = (name: string, revision: string): PodAddress => ({
  uid: name,
  name,
  ip: `10.0.0.${name.length}`,
  revision,
});
const [C1, C2, S1] = [pod('c', 'new'), pod('cc', 'new'), pod('sss', 'old')];
const digest = `sha256:${'1'.repeat(64)}`;

/** What every source of evidence does, wherever it has it from. */
export function evidenceSourceContract(name: string, start: () => Promise<SourceUnderTest>): void {
  describe(`evidence from ${name}`, () => {
    const using = async (body: (of: SourceUnderTest, ask: Asker) => Promise<void>): Promise<void> => {
      const of = await start();
      try {
        await body(of, askerOf(of));
      } finally {
        await of.end();
      }
    };

    test('is added up over the pods of each revision, with the digest that they serve', () =>
      using(async (of, ask) => {
        of.tells(C1, served(of, 40, 4));
        of.tells(C2, served(of, 10));
        of.tells(S1, served(of, 1000));
        await ask([C1, C2, S1], ({ new: candidate, old }) => {
          expect(candidate).toMatchObject({
            answering: 2,
            digests: [digest],
            sinceRollout: { ok: 50, serverError: 4 },
          });
          expect(old).toMatchObject({ answering: 1, sinceRollout: { ok: 1000 } });
        });
      }));

    test('has latency by our bounds, invalid answers and labels, and a batch for each', () =>
      using(async (of, ask) => {
        const document = served(of, 10);
        const labels = { right: 7, wrong: 3, unknown: 1 };
        of.tells(C1, { ...document, latency: latencies([10, 6], [100, 3], [20_000, 1]), invalid: 2, labels });
        await ask([C1], ({ new: candidate }) => {
          expect(candidate?.sinceRollout).toMatchObject({ invalid: 2, right: 7, wrong: 3 });
          expect(candidate?.sinceRollout.latency).toEqual(latencies([10, 6], [100, 3], [20_000, 1]).counts);
          expect(candidate?.sinceRollout.batches).toEqual({
            'slower/60': { count: 1, squaredOverTotal: 16 / 10 },
            invalid: { count: 1, squaredOverTotal: 4 / 10 },
            wrong: { count: 1, squaredOverTotal: 9 / 10 },
          });
        });
      }));

    test('leaves out what a process counted before the rollout', () =>
      using(async (of, ask) => {
        const startedAt = new Date(of.now().getTime() - 3_600_000);
        const old = (ok: number) => served(of, ok, 0, { startedAt });
        of.tells(S1, old(5000));
        await ask([S1], ({ old: stable }) => expect(stable).toMatchObject({ answering: 1, sinceRollout: { ok: 0 } }));
        of.tells(S1, old(5030));
        await ask([S1], ({ old: stable }) =>
          expect(stable).toMatchObject({ sinceRollout: { ok: 30 }, lifetime: { ok: 5030 } }),
        );
      }));

    test('counts a process that started again once, and what it counted before too', () =>
      using(async (of, ask) => {
        of.tells(C1, served(of, 40));
        await ask([C1], ({ new: candidate }) => expect(candidate?.sinceRollout.ok).toBe(40));
        of.tells(C1, served(of, 3, 0, { startedAt: new Date(of.now().getTime() + 2000), epoch: 'e2' }));
        await ask([C1], ({ new: candidate }) => expect(candidate?.sinceRollout.ok).toBe(43));
      }));

    test('begins a new window with each step', () =>
      using(async (of, ask) => {
        const startedAt = new Date(of.now().getTime() + 1000);
        of.tells(C1, served(of, 40, 0, { startedAt }));
        await ask([C1], ({ new: candidate }) => expect(candidate?.answering).toBe(1), { step: '1' });
        await ask([C1], ({ new: candidate }) => expect(candidate?.sinceStep.ok).toBe(0));
        of.tells(C1, served(of, 47, 0, { startedAt }));
        await ask([C1], ({ new: candidate }) => expect(candidate?.sinceStep.ok).toBe(7));
        await ask([C1], ({ new: candidate }) => expect(candidate?.sinceStep.ok).toBe(0), { step: '25' });
      }));

    test('calls a pod that tells nothing any more not answering, and keeps what it counted', () =>
      using(async (of, ask) => {
        of.tells(C1, served(of, 40));
        of.tells(C2, served(of, 5));
        await ask([C1, C2], ({ new: candidate }) => expect(candidate?.answering).toBe(2));
        of.tells(C2, undefined);
        await of.pass(6000);
        await ask([C1, C2], ({ new: candidate }) =>
          expect(candidate).toMatchObject({ answering: 1, sinceRollout: { ok: 45 } }),
        );
      }));

    test('is none for pods that nobody can read, and no failure', () =>
      using(async (_of, ask) => {
        await ask([C1], ({ new: candidate }) => expect(candidate).toMatchObject({ answering: 0, digests: [] }));
      }));
  });
}

type Asker = (
  pods: readonly PodAddress[],
  expectation: (evidence: Awaited<ReturnType<EvidenceSource['read']>>) => void,
  given?: Partial<EvidenceQuestion>,
) => Promise<void>;

/** Asks until what is expected is seen: a source may hear of it a scrape later. */
function askerOf({ source, now, pass }: SourceUnderTest): Asker {
  const startedAt = now();
  return async (pods, expectation, given = {}) => {
    const question: EvidenceQuestion = {
      service: { namespace: 'ml', name: 'flights' },
      model: 'flights',
      rolloutID: 'r',
      startedAt,
      step: '5',
      stepStartedAt: startedAt,
      candidate: 'new',
      stable: 'old',
      token: 'secret',
      pods,
      thresholdsMs: [60],
      predictions: false,
      poll: () => undefined,
      ...given,
    };
    await vi.waitFor(async () => {
      await pass(2000);
      expectation(await source.read(question, new AbortController().signal));
    }, WITHIN);
  };
}

const served = (
  { now }: SourceUnderTest,
  ok: number,
  serverError = 0,
  given: { startedAt?: Date; epoch?: string } = {},
): Document =>
  evidenceDocument({
    epoch: given.epoch ?? 'e1',
    startedAt: (given.startedAt ?? new Date(now().getTime() + 1000)).toISOString(),
    at: now().toISOString(),
    requests: answered(ok, serverError),
    latency: latencies([10, ok + serverError]),
  });
