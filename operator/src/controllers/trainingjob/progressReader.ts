import { ADMIN_PATHS, FILES, PORTS, type Progress } from '@slipway/crds/contract';
import { type Pod, secrets } from '../../api/builtin.ts';
import type { TrainingJob } from '../../api/kinds.ts';
import { parseProgress } from '../../domain/training/progress.ts';
import type { Client } from '../../kube/client.ts';
import { type Key, keyOf, keyText } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import type { FetchText } from '../../measure/fetchText.ts';
import { childNames } from '../../render/trainingJobChildren.ts';

/** One look less than a poll period, so that a poll is never skipped for being early by a few milliseconds. */
const RESTED_MS = 4_500;

interface Memory {
  readonly uid: string;
  readonly token: string;
  readonly askedAt: number;
}

const urlOf = (ip: string): string =>
  `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.admin}${ADMIN_PATHS.progress}`;

/**
 * Asks pod 0 of running jobs for their progress, at most every few seconds each however often they are looked at. The
 * token of a job never changes, so it is read once and kept until the job is forgotten.
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
    this.#memories.set(keyText(keyOf(tj)), { uid, token, askedAt: now.getTime() });
    return parseProgress(await this.#fetchText(urlOf(ip), token, signal));
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
