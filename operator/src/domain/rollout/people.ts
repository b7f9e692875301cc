import type { RolloutState } from './decision.ts';
import type { World } from './world.ts';

type Asked = Pick<World, 'asked'>;
interface Rollout {
  readonly rolloutID?: string | undefined;
}

export const asksToPause = ({ asked }: Asked): boolean => asked.pause === 'true';

/** Asked for the rollout that is under way, and for no earlier one whose annotation was left. */
export const asksToPromote = ({ asked }: Asked, { rolloutID }: Rollout): boolean =>
  rolloutID !== undefined && asked.promote === rolloutID;

/** To roll back what is not promoted yet is to abort it. */
export const asksToAbort = ({ asked }: Asked, { rolloutID }: Rollout): boolean =>
  rolloutID !== undefined && (asked.abort === rolloutID || asked.rollback === rolloutID);

/** The rollout that made the stable version stable. A status of an earlier release names it only while it is the last. */
const stableRollout = ({ stable, candidate, rolloutID }: RolloutState): string | undefined =>
  stable?.rolloutID ?? (candidate?.phase === 'Complete' ? rolloutID : undefined);

/** To have the version before the stable one again. */
export const asksToGoBack = ({ asked }: Asked, state: RolloutState): boolean =>
  asked.rollback !== undefined && asked.rollback === stableRollout(state);
