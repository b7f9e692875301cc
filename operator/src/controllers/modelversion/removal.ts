import type { Cause } from '../../domain/registry/facts.ts';
import { keptBecause } from '../../domain/registry/retention.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { failuresOf } from '../../domain/workload/podEnd.ts';
import { type Observation, rfc3339 } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import { REMOVE_CONTAINER } from '../../render/removalJob.ts';
import { isDue } from './verification.ts';
import { type Action, dropJob, FILES_KEPT, removalHasBegun, type World } from './world.ts';

/**
 * From the day a version says that its files go until they do. A service that began with it meanwhile, or a moment
 * before, is seen by then: caches of the controllers are seconds behind, not a minute.
 */
export const NOTICE_MS = 60_000;
/** Rest before files that could not be deleted are tried again. */
export const RETRY_MS = 300_000;

/** What becomes of the files of a version in this pass. */
export interface Removal {
  readonly actions: readonly Action[];
  readonly observed: readonly Observation[];
  /** Why the version may not serve any more; `final`: it never will. */
  readonly leaving: (Cause & { readonly final: boolean }) | undefined;
  readonly deletedAt: string | undefined;
  readonly events: readonly EventNote[];
  readonly next: Outcome;
}

export const STAY: Removal = {
  actions: [],
  observed: [],
  leaving: undefined,
  deletedAt: undefined,
  events: [],
  next: settled,
};

const going = (reason: string, message: string, final: boolean, extra: Partial<Removal> = {}): Removal => ({
  ...STAY,
  observed: [{ type: FILES_KEPT, status: 'False', reason, message }],
  leaving: { reason, message, final },
  ...extra,
});

const gone = (world: World, deletedAt: string, extra: Partial<Removal> = {}): Removal =>
  going(
    'FilesDeleted',
    `Its files were deleted at ${deletedAt}, as spec.retention says; card and provenance stay.`,
    true,
    { deletedAt, actions: dropJob(world.removal), ...extra },
  );

const kept = (why: string): Removal => ({
  ...STAY,
  observed: [{ type: FILES_KEPT, status: 'True', reason: 'Kept', message: `Its files are kept: ${why}.` }],
});

/** Its removal has begun: some files may be gone, so there is no way back. */
function removing(world: World): Removal {
  const { job, pods } = world.removal;
  const { uri } = world.mv.spec.artifact;
  const end = job && jobEnd(job);
  if (end?.kind === 'Complete') {
    const deletedAt = rfc3339(world.now);
    const event: EventNote = { type: 'Normal', reason: 'FilesDeleted', action: 'Remove', message: `Deleted ${uri}.` };
    return gone(world, deletedAt, { actions: [], events: [event], next: again(1, 'the finished Job is removed') });
  }
  if (end?.kind !== 'Failed') return going('Removing', `The files in ${uri} are being deleted.`, true);
  const [failure] = failuresOf(pods, REMOVE_CONTAINER);
  const message = `The files in ${uri} could not be deleted (${failure?.message ?? end.message}); tried again every ${RETRY_MS / 60_000} min.`;
  const rest = Date.parse(end.at ?? '') + RETRY_MS - world.now.getTime();
  return rest > 0
    ? going('RemovalFailed', message, true, { next: again(rest, message) })
    : going('RemovalFailed', message, true, { actions: dropJob(world.removal) });
}

const begin = ({ mv }: World): Removal =>
  going('Removing', `The files in ${mv.spec.artifact.uri} are being deleted.`, true, {
    actions: [{ kind: 'StartRemoval' }],
  });

function announce(world: World): Removal {
  const stored = world.mv.status?.conditions?.find(({ type }) => type === FILES_KEPT);
  const since = stored?.status === 'False' ? Date.parse(stored.lastTransitionTime) : world.now.getTime();
  const rest = since + NOTICE_MS - world.now.getTime();
  const { uri, digest } = world.mv.spec.artifact;
  const message = `The files in ${uri} go ${NOTICE_MS / 1000} s after this was said, as spec.retention asks: nothing uses ${digest.slice(0, 19)}.`;
  if (rest > 0) return going('Leaving', message, false, { next: again(rest, message) });
  return begin(world);
}

/**
 * Retention. A version says first that its files go and is not Ready from then on, so that nothing new begins with it;
 * a minute later, and only where still nothing uses it, they do.
 */
export function removal(world: World): Removal {
  const { mv, siblings, others, services } = world;
  const deletedAt = mv.status?.deletedAt;
  if (deletedAt !== undefined) return gone(world, deletedAt);
  if (world.removal.job !== undefined) return removing(world);
  if (removalHasBegun(world)) return begin(world);
  if (mv.spec.retention === undefined) return STAY;
  const why =
    world.verification.job === undefined && !isDue(world)
      ? keptBecause({ version: mv, siblings, others, services })
      : 'they are being verified';
  return why === undefined ? announce(world) : kept(why);
}
