import { ADMIN_PATHS, type Baseline, baselineSchema, type Evidence, LABELS, PORTS } from '@slipway/crds/contract';
import { type Pod, pods } from '../../api/builtin.ts';
import type { InferenceService } from '../../api/kinds.ts';
import { type Source, source } from '../../kube/contracts.ts';
import { keyOf, keyText } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import type { FetchText } from '../../measure/fetchText.ts';
import { inParallel } from '../../measure/inParallel.ts';
import { peersAmong } from '../../measure/peers.ts';
import { readEvidence } from '../../measure/readable.ts';

/** Pods of one service that are asked at the same time. */
const FAN_OUT = 16;
/** Pods that are asked for the baseline until one gives it: all have the same. */
const ASKED_FOR_BASELINE = 3;

/** Index of pods by the service and revision they belong to, `<namespace>/<name>@<revision>`. */
const BY_REVISION = 'revision';

/** The pods that serve. Nothing is queued when one changes: they are read in turn anyway. */
export const servingPods: Source = source({
  resource: pods,
  labelSelector: `${LABELS.managedBy}=slipway,${LABELS.component}=predictor`,
  toKeys: () => [],
  indexes: {
    [BY_REVISION]: ({ metadata: { namespace = '', labels = {} } }) => {
      const name = labels[LABELS.inferenceService];
      return name === undefined ? [] : [`${keyText({ namespace, name })}@${labels[LABELS.revision]}`];
    },
  },
});

export interface Address {
  readonly uid: string;
  readonly ip: string;
}
interface ByIndex {
  by(index: string, value: string): readonly Stored<Pod>[];
}

/** Pods of the stable version that have an address. One that is being deleted still answers, and counts. */
export const stablePods = (store: ByIndex, infs: Stored<InferenceService>): readonly Address[] =>
  store.by(BY_REVISION, `${keyText(keyOf(infs))}@${infs.status?.stable?.revision}`).flatMap(({ metadata, status }) => {
    const { podIP: ip, phase } = status ?? {};
    return ip === undefined || phase !== 'Running' ? [] : [{ uid: metadata.uid, ip }];
  });

export interface Asking {
  readonly fetchText: FetchText;
  readonly token: string;
  readonly signal: AbortSignal;
  /** Whether they are told of each other with it: a rollout that goes on tells them of the pods of both versions. */
  readonly peersToo?: boolean;
}

const urlOf = ({ ip }: Address, path: string): string =>
  `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.admin}${path}`;

/** What each pod reports of this digest; those that can't be read, and those that run something else, are left out. */
export async function evidenceOf(
  addresses: readonly Address[],
  digest: string,
  { fetchText, token, signal, peersToo = false }: Asking,
): Promise<readonly (readonly [Address, Evidence])[]> {
  const all: (readonly [Address, Evidence])[] = [];
  await inParallel(
    addresses.map((address) => async () => {
      const told = peersToo ? JSON.stringify({ peers: peersAmong(addresses, address) }) : undefined;
      const evidence = readEvidence(await fetchText(urlOf(address, ADMIN_PATHS.evidence), token, signal, told));
      if (evidence?.model.digest === digest) all.push([address, evidence]);
    }),
    FAN_OUT,
  );
  return all;
}

function baselineIn(text: string | undefined): Baseline | undefined {
  try {
    return baselineSchema.safeParse(JSON.parse(text ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** The baseline that the pods count against; undefined when none of a few gives it. */
export async function baselineFrom(
  addresses: readonly Address[],
  { fetchText, token, signal }: Asking,
): Promise<Baseline | undefined> {
  for (const address of addresses.slice(0, ASKED_FOR_BASELINE)) {
    const baseline = baselineIn(await fetchText(urlOf(address, ADMIN_PATHS.baseline), token, signal));
    if (baseline !== undefined) return baseline;
  }
  return undefined;
}
