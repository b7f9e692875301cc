import { LABELS } from '@slipway/crds/contract';
import { pods, secrets } from '../../api/builtin.ts';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import { liveCandidate } from '../../domain/rollout/decision.ts';
import {
  type ControllerContext,
  type ControllerSpec,
  type Grant,
  type Reconciler,
  source,
} from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { type Key, keyOf, keyText } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { type FetchText, fetchTextWithin } from '../../measure/fetchText.ts';
import { hasPassed } from '../../measure/hasPassed.ts';
import { type Address, evidenceOf, servingPods, stablePods } from '../drift/evidence.ts';
import { AdminTokens } from '../inferenceservice/adminTokens.ts';

const NAME = 'peers';
/** Twice within the time for which pods believe an address. */
const PERIOD_MS = 40_000;
const POD_PATIENCE_MS = 5_000;

const GRANTS: readonly Grant[] = [
  { resource: inferenceServices, verbs: ['get', 'list', 'watch'] },
  { resource: pods, verbs: ['get', 'list', 'watch'] },
  { resource: secrets, verbs: ['get'] },
];

type Infs = Stored<InferenceService>;

interface Told {
  readonly whom: string;
  readonly at: number;
}

/** What the controller reaches beside the API server. */
export interface PeersSurroundings {
  readonly fetchText: FetchText;
  /** Default 40,000 ms. */
  readonly periodMs?: number;
}

/** The loop over drift and a live rollout tell pods of each other with what they ask them anyway. */
const isToldOtherwise = ({ spec, status }: Infs): boolean =>
  spec.drift !== undefined || liveCandidate(status ?? {}) !== undefined;

const whomOf = (addresses: readonly Address[]): string =>
  addresses
    .map(({ uid, ip }) => `${uid}/${ip}`)
    .sort()
    .join();

class PeersReconciler implements Reconciler {
  readonly #context: ControllerContext;
  readonly #tokens: AdminTokens;
  readonly #fetchText: FetchText;
  readonly #periodMs: number;
  readonly #told = new Map<string, Told>();

  constructor(context: ControllerContext, { fetchText, periodMs = PERIOD_MS }: PeersSurroundings) {
    this.#context = context;
    this.#tokens = new AdminTokens(context.client, context.now);
    this.#fetchText = fetchText;
    this.#periodMs = periodMs;
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Outcome> {
    const infs = this.#context.store(inferenceServices).get(key);
    const digest = infs?.status?.stable?.digest;
    const addresses = infs === undefined ? [] : stablePods(this.#context.store(pods), infs);
    if (infs === undefined || digest === undefined || addresses.length < 2 || isToldOtherwise(infs)) {
      this.#told.delete(keyText(key));
      if (infs !== undefined) this.#tokens.forget(infs.metadata.uid);
      return settled;
    }
    const now = this.#context.now().getTime();
    const whom = whomOf(addresses);
    const last = this.#told.get(keyText(key));
    if (last?.whom === whom && !hasPassed(now - last.at, this.#periodMs)) {
      return again(last.at + this.#periodMs - now, 'Told');
    }
    const token = await this.#tokens.of(infs, signal);
    if (token !== undefined) {
      await evidenceOf(addresses, digest, { fetchText: this.#fetchText, token, signal, peersToo: true });
      this.#told.set(keyText(key), { whom, at: now });
    }
    return again(this.#periodMs, 'Told');
  }
}

/**
 * Keeps the pods of a quiet service told of each other: a late label comes to any pod, and only the one that answered
 * remembers the request. What a rollout told them last expires in a minute and a half, and labels come hours later.
 */
export const peersController = (
  around: PeersSurroundings = { fetchText: fetchTextWithin(POD_PATIENCE_MS) },
): ControllerSpec => ({
  name: NAME,
  grants: GRANTS,
  sources: [
    source({ resource: inferenceServices, toKeys: (infs) => [keyOf(infs)] }),
    {
      ...servingPods,
      toKeys: ({ metadata: { namespace = '', labels = {} } }) => {
        const name = labels[LABELS.inferenceService];
        return name === undefined ? [] : [{ namespace, name }];
      },
    },
  ],
  build: (context) => new PeersReconciler(context, around),
});
