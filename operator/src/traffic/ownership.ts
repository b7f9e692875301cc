import type { RouteFacts } from '../domain/rollout/world.ts';
import type { KubeObject, Stored } from '../kube/wire.ts';

export const owns = (owner: Stored<KubeObject>, { metadata }: KubeObject): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) ?? false;

/**
 * Objects of other people that bear the name of one of ours. They have none of our labels and are in no cache, so what
 * a write found out is kept for the next read. A person's own object is never changed, whatever it holds.
 */
export class Namesakes {
  readonly #sentences = new Map<string, string>();

  /** What was found under the name, or that nothing was. Answers whether the name is free for `owner`. */
  saw(owner: Stored<KubeObject>, found: KubeObject | undefined): boolean {
    const free = found === undefined || owns(owner, found);
    if (free) this.#sentences.delete(owner.metadata.uid);
    else this.#sentences.set(owner.metadata.uid, `${found.kind} ${found.metadata.name}`);
    return free;
  }

  fault(owner: Stored<KubeObject>): RouteFacts | undefined {
    const what = this.#sentences.get(owner.metadata.uid);
    if (what === undefined) return undefined;
    const message = `${what} exists and does not belong to this InferenceService: rename or delete it.`;
    return { state: 'Refused', reason: 'NameTaken', message };
  }
}
