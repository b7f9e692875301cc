import { baselineSchema } from '@slipway/crds/contract';
import type { Key } from '../kube/resource.ts';
import type { PredictionShapes } from './commonBins.ts';
import { Background } from './external/background.ts';
import type { FetchText } from './fetchText.ts';
import { baselineUrl } from './podPorts.ts';
import type { EvidenceQuestion, PodAddress } from './source.ts';

function parsed(text: string | undefined): PredictionShapes | undefined {
  try {
    const read = baselineSchema.safeParse(JSON.parse(text ?? 'null'));
    return read.success ? read.data.predictions : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What the bins of each version mean, read from one of its pods once a rollout, beside the passes: a revision is one
 * artifact, and an artifact has one baseline.
 */
export class Baselines {
  readonly #fetchText: FetchText;
  readonly #shapes = new Background<PredictionShapes>(() => undefined);

  constructor(fetchText: FetchText) {
    this.#fetchText = fetchText;
  }

  of(question: EvidenceQuestion, revision: string | undefined): PredictionShapes | undefined {
    const { service, rolloutID, token, pods } = question;
    if (revision === undefined) return undefined;
    const found = pods.filter((pod) => pod.revision === revision);
    return this.#shapes.get(service, rolloutID, revision, (signal) => this.#ask(found, token, signal));
  }

  forget(service: Key): void {
    this.#shapes.forget(service);
  }

  /** The first pod that tells. */
  async #ask(pods: readonly PodAddress[], token: string, signal: AbortSignal): Promise<PredictionShapes | undefined> {
    for (const pod of pods) {
      const shapes = parsed(await this.#fetchText(baselineUrl(pod), token, signal));
      if (shapes !== undefined) return shapes;
    }
    return undefined;
  }
}
