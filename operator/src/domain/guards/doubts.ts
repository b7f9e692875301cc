import type { CandidateStatus, GuardStatus, World } from '../rollout/world.ts';
import { acting } from './acting.ts';
import { readingOf } from './kinds.ts';
import type { Doubt } from './question.ts';
import { sightOf } from './sight.ts';

const GRAVITY: readonly Doubt[] = ['Suspicious', 'Open', 'Clear'];

export interface Doubted {
  readonly guard: GuardStatus;
  readonly doubt: Doubt;
}

/**
 * The guards that copies of live requests can help to decide, the one in most doubt first: those that may act, and have
 * not failed or found a fault that both versions share.
 */
export function doubtsOf(world: World, candidate: CandidateStatus, guards: readonly GuardStatus[]): readonly Doubted[] {
  const sight = sightOf(world, candidate);
  return acting(guards)
    .filter(({ verdict }) => verdict !== 'Fail' && verdict !== 'SharedFault')
    .flatMap((guard): readonly Doubted[] => {
      const policy = world.spec.rollout.guards?.find(({ name }) => name === guard.name);
      const reading = policy && readingOf(policy);
      if (reading?.isJudgedIn(candidate.phase) !== true) return [];
      return reading.questions.flatMap(({ doubt }) => (doubt === undefined ? [] : [{ guard, doubt: doubt(sight) }]));
    })
    .sort((a, b) => GRAVITY.indexOf(a.doubt) - GRAVITY.indexOf(b.doubt));
}
