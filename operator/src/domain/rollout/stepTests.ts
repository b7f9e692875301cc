import { liveCandidate } from './decision.ts';
import { routesOf } from './routes.ts';
import { isDue, type Versions } from './sizing.ts';
import { backendsOf, candidatePercent, isProgrammed } from './weights.ts';
import type { World } from './world.ts';

/**
 * Guards of kind `job` whose container must run in this step: once a candidate is shown to anything, and with a weight
 * once the gateway has programmed it, and not while the step still waits for pods. They are keyed by rollout and step, so a pause makes no second run.
 */
export function testsOf(world: World, versions: Versions): readonly string[] {
  const candidate = liveCandidate(versions);
  if (candidate === undefined || candidate.phase === 'Preparing' || candidate.back === true) return [];
  if (isDue(world, versions, candidate)) return [];
  const weighted = candidatePercent(candidate) > 0;
  if (candidate.phase === 'Shifting' && !weighted) return [];
  if (weighted && !isProgrammed(world, backendsOf(versions), routesOf(world.spec, versions))) return [];
  return (world.spec.rollout.guards ?? []).flatMap(({ name, job }) => (job === undefined ? [] : [name]));
}
