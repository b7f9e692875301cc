import { ADMIN_PATHS, FILES, PORTS, type Progress } from '@slipway/crds/contract';
import { type Pod, secrets } from '../../api/builtin.ts';
import type { TrainingJob } from '../../api/kinds.ts';
import { parseProgress } from '../../domain/training/progress.ts';
import { progressInLog } from '../../domain/training/progressLog.ts';
import { containerStatus } from '../../domain/workload/podEnd.ts';
import type { Client } from '../../kube/client.ts';
import { type Key, keyOf, keyText } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import type { FetchText } from '../../measure/fetchText.ts';
import { TRAIN_CONTAINER } from '../../render/trainingJob.ts';
import { childNames } from '../../render/trainingJobChildren.ts';

/** One look less than a poll period, so that a poll is never skipped for being early by a few milliseconds. */
const RESTED_MS = 4_500;

/** Time that the agent has to hear of progress before the log of the trainer is looked at. */
const LOG_AFTER_MS = 30_000;
/** A log is a call to the API server and one to a kubelet, which a thousand silent jobs must not keep busy. */
const LOG_RESTED_MS = 29_500;
const LOG_REFUSED_MS = 300_000;
const LOG = { container: TRAIN_CONTAINER, tailLines: 100, limitBytes: 32 * 1024 };

interface Memory {
  readonly uid: string;
  readonly token: string;
  readonly askedAt: number;
  /** The agent told of progress before. */
  readonly agentKnows: boolean;
  /** When the log may be looked at next, in milliseconds since 1970. */
  readonly logFrom: number;
}

const urlOf = (ip: string): string =>
  `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.admin}${ADMIN_PATHS.progress}`;

/** Whether the trainer of a pod has run for so long that its log may be looked at. */
function hasRunFor(pod: Pod, ms: number, now: Date): boolean {
  const startedAt = containerStatus(pod, TRAIN_CONTAINER)?.state?.running?.startedAt;
  return startedAt !== undefined && now.getTime() - new Date(startedAt).getTime() >= ms;
}

/**
 * Asks pod 0 of running jobs for their progress, at most every few seconds each however often they are looked at. The
 * token of a job never changes, so it is read once and kept until the job is forgotten. Of a trainer that tells its agent
 * nothing for half a minute the last lines of the log are read, where that is granted.
 */
export class ProgressReader {
  readonly #client: Client;
  readonly #fetchText: FetchText;
  readonly #memories = new Map<string, Memory>();

  constructor(client: Client, fetchText: FetchText) {
    this.#client = client;
    this.#fetchText = fetchText;
  }

  async read(tj: Stored<TrainingJob>, pod: Pod, now: Date, signal: AbortSignal): Promise<Progress | undefined> {
    const { uid } = tj.metadata;
    const ip = pod.status?.podIP;
    const kept = this.#memories.get(keyText(keyOf(tj)));
    const known = kept?.uid === uid ? kept : undefined;
    if (ip === undefined || now.getTime() - (known?.askedAt ?? 0) < RESTED_MS) return undefined;
    const token = known?.token ?? (await this.#tokenOf(tj, signal));
    if (token === undefined) return undefined;
    const told = parseProgress(await this.#fetchText(urlOf(ip), token, signal));
    const memory: Memory = {
      uid,
      token,
      askedAt: now.getTime(),
      agentKnows: told !== undefined || known?.agentKnows === true,
      logFrom: known?.logFrom ?? 0,
    };
    this.#memories.set(keyText(keyOf(tj)), memory);
    if (memory.agentKnows || now.getTime() < memory.logFrom || !hasRunFor(pod, LOG_AFTER_MS, now)) return told;
    return this.#inLog(tj, pod, memory, signal);
  }

  /** A log that may not be read, or not now, is no reason to fail a pass. */
  async #inLog(tj: Stored<TrainingJob>, pod: Pod, memory: Memory, signal: AbortSignal): Promise<Progress | undefined> {
    const key = { namespace: tj.metadata.namespace ?? '', name: pod.metadata.name };
    const log = await this.#client.podLog(key, { ...LOG, signal }).catch(() => undefined);
    const rest = log === undefined ? LOG_REFUSED_MS : LOG_RESTED_MS;
    this.#memories.set(keyText(keyOf(tj)), { ...memory, logFrom: memory.askedAt + rest });
    return log === undefined ? undefined : progressInLog(log);
  }

  forget(key: Key): void {
    this.#memories.delete(keyText(key));
  }

  async #tokenOf({ metadata }: Stored<TrainingJob>, signal: AbortSignal): Promise<string | undefined> {
    const key = { namespace: metadata.namespace ?? '', name: childNames(metadata.name).admin };
    const data = (await this.#client.get(secrets, key, { signal }))?.data?.[FILES.token];
    return data === undefined ? undefined : Buffer.from(data, 'base64').toString();
  }
}
