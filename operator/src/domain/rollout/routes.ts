import { PREVIEW_HEADER } from '@slipway/crds/contract';
import { liveCandidate } from './decision.ts';
import type { Versions } from './sizing.ts';
import { candidatePercent } from './weights.ts';
import type { HeaderRoute, World } from './world.ts';

const PREVIEW = { [PREVIEW_HEADER.name]: PREVIEW_HEADER.value };

/**
 * Requests that go by header. To the candidate: while it is previewed, and those of traffic.routes from its first
 * weight on, so that no cohort is shown what no other user may see yet. To the stable version: while any candidate is
 * live. None otherwise: a rollback takes the header routes away in the same write as the weight.
 */
export function routesOf({ traffic }: World['spec'], versions: Versions): readonly HeaderRoute[] {
  const { stable } = versions;
  const candidate = liveCandidate(versions);
  if (candidate === undefined || stable === undefined || candidate.back === true) return [];
  const shown = candidatePercent(candidate) > 0;
  const asked = (traffic.routes ?? []).flatMap(({ header, to }): HeaderRoute[] => {
    if (to === 'Candidate' && !shown) return [];
    return [{ header, revision: to === 'Candidate' ? candidate.revision : stable.revision }];
  });
  return candidate.phase === 'Previewing' ? [{ header: PREVIEW, revision: candidate.revision }, ...asked] : asked;
}
