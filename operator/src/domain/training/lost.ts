import type { Node, Pod } from '../../api/builtin.ts';

/** A kubelet that says itself that it is not ready mostly restarts; past this it is not coming back soon. */
const NOT_READY_MS = 60_000;

/** A pod that the node controller marked not ready though its containers are: nobody has heard of its node for a while. */
export function looksLost({ status }: Pod): boolean {
  if (status?.phase !== 'Running') return false;
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  const containers = status.containerStatuses ?? [];
  return ready?.status === 'False' && containers.length > 0 && containers.every((container) => container.ready);
}

/** Why pods of this node will not come back, or undefined: they may. `node` is undefined when there is none of that name. */
export function nodeTrouble(node: Node | undefined, now: Date): string | undefined {
  if (node === undefined) return 'is gone';
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'Unknown') return 'does not answer';
  const since = Date.parse(ready?.lastTransitionTime ?? '');
  return ready?.status === 'False' && now.getTime() - since >= NOT_READY_MS ? 'is not ready' : undefined;
}

/** Nodes of these pods that are lost, and how. No node at all means that none may be read: then nothing is known. */
export function lostNodes(pods: readonly Pod[], nodes: readonly Node[], now: Date): Map<string, string> {
  const known = new Map(nodes.map((node) => [node.metadata.name, node]));
  const lost = new Map<string, string>();
  if (nodes.length === 0) return lost;
  for (const { spec } of pods) {
    const trouble = spec?.nodeName === undefined ? undefined : nodeTrouble(known.get(spec.nodeName), now);
    if (trouble !== undefined && spec?.nodeName !== undefined) lost.set(spec.nodeName, trouble);
  }
  return lost;
}
