import type { ModelVersion } from '../../api/kinds.ts';
import { namesText, type References, referencesTo } from '../../domain/model/references.ts';
import { currentOf, since } from '../../domain/registry/current.ts';
import type { Facts } from '../../domain/registry/facts.ts';
import { historyWith } from '../../domain/registry/history.ts';
import { type Move, moveOf } from '../../domain/registry/move.ts';
import { standing } from '../../domain/registry/standing.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { again, type Outcome, settled, soonest } from '../../kube/outcome.ts';
import { compact } from '../../render/compact.ts';
import { type Removal, removal, STAY } from './removal.ts';
import { pending, type Verification, verification } from './verification.ts';
import type { BareStatus, Plan, World } from './world.ts';

const NAME_TAKEN_MS = 5_000;

function factsOf({ mv }: World, { verified, gates }: Verification, { deletedAt }: Removal, named: References): Facts {
  const { stage, approval, approvals = [], artifact } = mv.spec;
  return {
    name: mv.metadata.name,
    asked: stage ?? 'Candidate',
    reached: mv.status?.stage,
    digest: artifact.digest,
    approval,
    approvals,
    verified,
    gates,
    deletedAt,
    servedBy: named.servedBy,
    rejectedBy: named.rejectedBy,
  };
}

/** The files' end belongs to the history of the version, though it changes no stage. */
const endOf = ({ mv }: World, { deletedAt, leaving }: Removal, stage: Facts['reached']) =>
  deletedAt === undefined || mv.status?.deletedAt !== undefined
    ? undefined
    : { from: stage ?? '', to: stage ?? '', reason: 'FilesDeleted' as const, message: leaving?.message ?? '' };

function stageOf(world: World, facts: Facts, files: Removal, move: Move | undefined): BareStatus {
  const stage = move?.to ?? facts.reached;
  const entries = [move, endOf(world, files, stage)].filter((entry) => entry !== undefined);
  const history = entries.reduce((all, entry) => historyWith(all, entry, world.now), world.mv.status?.history ?? []);
  return compact<BareStatus>({ stage, history: history.length === 0 ? undefined : history });
}

const told = (move: Move | undefined): EventNote[] =>
  move === undefined || move.from === ''
    ? []
    : [
        {
          type: 'Normal',
          reason: move.reason,
          action: 'SetStage',
          message: `${move.from} to ${move.to}. ${move.message}`,
        },
      ];

/** The stored status with what this pass found. */
function statusOf(world: World, checked: Verification, files: Removal, named: References, staged: BareStatus) {
  const { conditions: _c, observedGeneration: _g, ...stored } = world.mv.status ?? {};
  const { servedBy, rejectedBy, stable } = named;
  const status: BareStatus = { ...stored, ...checked.findings, ...staged };
  const self: ModelVersion = { ...world.mv, status };
  const current = currentOf([self, ...world.siblings]);
  return {
    current: current?.metadata.name,
    status: compact<BareStatus>({
      ...status,
      verifier: world.verifier,
      current: current === self ? true : undefined,
      deletedAt: files.deletedAt,
      everServed: stored.everServed === true || stable ? true : undefined,
      servedBy: servedBy.length === 0 ? undefined : servedBy,
      servedByNames: servedBy.length === 0 ? undefined : namesText(servedBy),
      rejectedBy: rejectedBy.length === 0 ? undefined : rejectedBy,
    }),
  };
}

const verify = (world: World): Verification =>
  world.nameTaken === undefined
    ? verification(world)
    : pending(world, 'NameTaken', world.nameTaken, { next: again(NAME_TAKEN_MS, world.nameTaken) });

/** One stage a pass: a new version is a Candidate first, and goes on from there. */
const onceMore = ({ asked }: Facts, move: Move | undefined): Outcome =>
  move === undefined || move.to === asked ? settled : again(1, 'its stage has moved');

/** What one pass does about one ModelVersion: verify its files, move its stage, delete what nobody needs. Pure and total. */
export function plan(world: World): Plan {
  const checked = verify(world);
  const files = world.nameTaken === undefined ? removal(world) : { ...STAY, deletedAt: world.mv.status?.deletedAt };
  const named = referencesTo(world.mv, world.services);
  const facts = factsOf(world, checked, files, named);
  const move = moveOf(facts);
  const { status, current } = statusOf(world, checked, files, named, stageOf(world, facts, files, move));
  const reached = { ...facts, reached: status.stage };
  const circumstances = { current, since: since(status), verifying: checked.verifying, leaving: files.leaving };
  return {
    actions: [...checked.actions, ...files.actions],
    status,
    observed: [...standing(reached, circumstances), ...files.observed],
    events: [...checked.events, ...told(move), ...files.events],
    next: soonest(checked.next, files.next, onceMore(facts, move)),
  };
}
