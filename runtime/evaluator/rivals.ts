import type { Rival } from '@slipway/crds/contract';
import { Failure, sentenceOf } from '../artifact/failure.ts';
import { type OpenArtifact, openArtifact } from '../artifact/stores/openArtifact.ts';
import type { StoreContext } from '../artifact/stores/store.ts';
import type { RivalAnswers } from './gates/versusGate.ts';
import { readPredictions } from './predictions.ts';
import type { Predecessor } from './report/holdout.ts';

interface OpenRival {
  readonly answers: RivalAnswers;
  readonly artifact: OpenArtifact;
}

/** The versions that gates compare with, each opened when the first gate asks for it. */
export class Rivals {
  readonly #rivals: readonly Rival[];
  readonly #context: StoreContext;
  readonly #open = new Map<string, Promise<OpenRival>>();

  constructor(rivals: readonly Rival[], context: StoreContext) {
    this.#rivals = rivals;
    this.#context = context;
  }

  /** What a word of `versus` means; undefined where there is no such version. Throws Failure RivalUnavailable. */
  async find(word: string): Promise<RivalAnswers | undefined> {
    const rival = this.#rivals.find(({ as }) => as.includes(word));
    if (!rival) return undefined;
    const opening = this.#open.get(rival.name) ?? open(rival, this.#context);
    this.#open.set(rival.name, opening);
    return (await opening).answers;
  }

  async opened(): Promise<readonly Predecessor[]> {
    const all = await Promise.all(this.#open.values());
    return all.map(({ answers, artifact }) => ({ predictions: answers.predictions, dir: artifact.dir }));
  }

  async close(): Promise<void> {
    const all = await Promise.allSettled(this.#open.values());
    for (const one of all) if (one.status === 'fulfilled') await one.value.artifact.close();
  }
}

async function open(rival: Rival, context: StoreContext): Promise<OpenRival> {
  const { name, version, digest } = rival;
  try {
    const artifact = await openArtifact(rival, digest, context);
    return { artifact, answers: { name, version, predictions: await predictionsOf(artifact.dir) } };
  } catch (cause) {
    throw new Failure('RivalUnavailable', `${name}, which gates compare with, cannot be read: ${sentenceOf(cause)}`, {
      cause,
    });
  }
}

/** A version that was published without predictions shares no example with any other. */
async function predictionsOf(dir: string) {
  try {
    return await readPredictions(dir);
  } catch (error) {
    if (error instanceof Failure && error.reason === 'PredictionsMissing') return [];
    throw error;
  }
}
