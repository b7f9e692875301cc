import { REQUEST_HEADERS, SECOND_OPINION } from '@slipway/crds/contract';
import type { ServedModel } from '../models/servedModel.ts';
import type { Answered, ModelEvidence } from './modelEvidence.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether Authorization is the pass of another pod's copies for this order. Undefined: no pod has one. */
export type AdmitsCopy = ((order: string, authorization: string) => boolean) | undefined;

/**
 * Whether a request is a copy that a guard in doubt asked for: nobody waits for its answer. Only with the pass of its
 * order, for any caller can send the header, and would be out of the count and keep the time of others out of it.
 */
export function isSecondOpinion(headers: Headers, admits: AdmitsCopy): boolean {
  const [order, authorization] = [headers[REQUEST_HEADERS.shadow], headers[REQUEST_HEADERS.apiKey]];
  if (typeof order !== 'string' || !order.startsWith(SECOND_OPINION)) return false;
  return typeof authorization === 'string' && admits?.(order, authorization) === true;
}

/**
 * The evidence of a model as copies count in it: apart, and in nothing else. A copy that was refused or ended for load is
 * counted nowhere, for it was taken only to fill an idle moment; how long one took says nothing, as it waits behind all;
 * and its late label belongs to the answer that a user saw.
 */
class CopyEvidence implements ModelEvidence {
  readonly #evidence: ModelEvidence;

  constructor(evidence: ModelEvidence) {
    this.#evidence = evidence;
  }

  get baseline() {
    return this.#evidence.baseline;
  }

  get copying(): number {
    return this.#evidence.copying;
  }

  set copying(copies: number) {
    this.#evidence.copying = copies;
  }

  answered({ outcome }: Answered): void {
    if (outcome !== 'shed') this.#evidence.copied(outcome);
  }

  nonFinite(count: number): void {
    if (count > 0) this.#evidence.copied('invalid');
  }

  copied(outcome: Parameters<ModelEvidence['copied']>[0]): void {
    this.#evidence.copied(outcome);
  }

  remember(): void {}

  label(id: string, label: string | number | boolean, now: number) {
    return this.#evidence.label(id, label, now);
  }

  countUnknownLabels(labels: number): void {
    this.#evidence.countUnknownLabels(labels);
  }

  ran(...run: Parameters<ModelEvidence['ran']>): void {
    this.#evidence.ran(...run);
  }

  snapshot() {
    return this.#evidence.snapshot();
  }

  counts() {
    return this.#evidence.counts();
  }
}

const VIEWS = new WeakMap<ServedModel, ServedModel>();

/** The model as copies see it: all is the same but where they are counted. */
export function asCopiesSee(model: ServedModel): ServedModel {
  const known = VIEWS.get(model);
  if (known) return known;
  const { identity, signature, labels, settings, scheduler, observation, example } = model;
  const evidence = new CopyEvidence(model.evidence);
  const view: ServedModel = {
    identity,
    signature,
    labels,
    settings,
    scheduler,
    observation,
    example,
    evidence,
    get healthy() {
      return model.healthy;
    },
  };
  VIEWS.set(model, view);
  return view;
}
