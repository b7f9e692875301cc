import { FILES } from '@slipway/crds/contract';
import { secrets } from '../../api/builtin.ts';
import type { InferenceService } from '../../api/kinds.ts';
import type { Client } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import type { Stored } from '../../kube/wire.ts';
import { hasPassed } from '../../measure/hasPassed.ts';
import { predictorNames } from '../../render/predictorChildren.ts';

const KEPT_MS = 60_000;

/**
 * Tokens of services, read by name and kept for a minute: a rollout asks each second, and the operator watches no
 * Secrets. A token that a person replaced is thus known within the minute, as it is in the pods.
 */
export class AdminTokens {
  readonly #client: Client;
  readonly #now: () => Date;
  readonly #known = new Map<string, { readonly token: string; readonly readAt: number }>();

  constructor(client: Client, now: () => Date) {
    this.#client = client;
    this.#now = now;
  }

  /**
   * undefined: there is none, or it may not be read. No pod can be asked then, which holds a rollout, and what serves
   * goes on; that the Secret is refused is told when it is looked after with the other objects of the service.
   */
  async of({ metadata }: Stored<InferenceService>, signal: AbortSignal): Promise<string | undefined> {
    const known = this.#known.get(metadata.uid);
    const at = this.#now().getTime();
    if (known !== undefined && !hasPassed(at - known.readAt, KEPT_MS)) return known.token;
    const key = { namespace: metadata.namespace ?? '', name: predictorNames(metadata.name).adminToken };
    const secret = await this.#client.get(secrets, key, { signal }).catch((error: unknown) => {
      if (isForbidden(error)) return undefined;
      throw error;
    });
    const kept = secret?.data?.[FILES.token];
    if (kept === undefined) return undefined;
    const token = Buffer.from(kept, 'base64').toString();
    this.#known.set(metadata.uid, { token, readAt: at });
    return token;
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }
}
