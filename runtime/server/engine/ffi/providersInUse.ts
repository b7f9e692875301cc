import koffi from 'koffi';
import { PROVIDER_NAMES, type Provider, type SessionPlan } from '../sessionPlan.ts';
import { cells } from './cells.ts';
import { check, created, type Library } from './library.ts';

/**
 * The providers that the operators of a session were really given to, best first. A provider that was appended may
 * still have been given nothing. The session must record the assignment, which a plan with a GPU provider asks for.
 */
export function providersInUse({ api }: Library, session: bigint, { gpuProviders }: SessionPlan): Provider[] {
  if (gpuProviders.length === 0) return ['cpu'];
  const out = cells(2);
  const [first, count] = out.at as readonly [bigint, bigint];
  check(api, api.Session_GetEpGraphAssignmentInfo(session, first, count));
  const size = Number(out.values[1]);
  const parts: bigint[] = size === 0 ? [] : koffi.decode(out.values[0], 'void *', size);
  const name = cells(1);
  const used = new Set(
    parts.map((part) => koffi.decode.string(created(api, name, (at) => api.EpAssignedSubgraph_GetEpName(part, at)))),
  );
  const inOrder: readonly Provider[] = [...gpuProviders, 'cpu'];
  return inOrder.filter((provider) => used.has(PROVIDER_NAMES[provider]));
}
