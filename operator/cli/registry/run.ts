import {
  type InferenceService,
  type ModelVersion,
  modelVersions,
  type TrainingJob,
  trainingJobs,
} from '../../src/api/kinds.ts';
import type { Surroundings } from '../commands.ts';
import type { Watched } from '../goals.ts';
import type { Approver, Request } from '../requests.ts';
import type { RegistryAct } from './arguments.ts';
import { cardOf } from './card.ts';
import { cardLines } from './cardFormats.ts';
import { historyLines } from './history.ts';
import { type Known, serviceLineage, treeLines, versionLineage } from './lineage.ts';
import { stageRequest, verifyRequest, versionApprovalRequest } from './requests.ts';
import { verdictOn } from './verify.ts';

const POLL_MS = 1000;
/** Of `verify`, for scripts: what was looked for is not so, or the time was up before it was known. */
const NOT_SO = 1;
const NOT_YET = 2;

/** What the commands need of the rest of the program. */
export interface Hands {
  readonly world: Surroundings;
  readonly approver: (comment: string | undefined) => Promise<Approver>;
  readonly send: (request: Request) => Promise<number>;
  readonly read: () => Promise<Watched>;
}

/** Everything in the namespace that a line of descent may lead to, in two lists rather than a call for each step. */
async function known({ client, signal }: Surroundings, namespace: string): Promise<Known> {
  const [versions, runs] = await Promise.all([
    client.list(modelVersions, namespace, { signal }),
    client.list(trainingJobs, namespace, { signal }),
  ]);
  const named = <T extends ModelVersion | TrainingJob>(all: readonly T[]) => {
    const byName = new Map(all.map((one) => [one.metadata.name, one]));
    return (name: string) => byName.get(name);
  };
  return { version: named(versions), trainingJob: named(runs) };
}

async function lineage(object: Watched, world: Surroundings): Promise<number> {
  const all = await known(world, object.metadata.namespace ?? '');
  const tree =
    object.kind === 'ModelVersion'
      ? versionLineage(object as ModelVersion, all)
      : serviceLineage(object as InferenceService, all);
  world.print(treeLines(tree));
  return 0;
}

async function verify(version: ModelVersion, timeoutSeconds: number, { world, send, read }: Hands): Promise<number> {
  const asked = world.now();
  const ask = asked.toISOString();
  const status = await send(verifyRequest(version, ask));
  if (status !== 0) return status;
  for (;;) {
    const now = (await read()) as ModelVersion;
    const verdict = verdictOn(now, ask);
    if (verdict !== undefined) {
      world.print(verdict.lines);
      return verdict.passed ? 0 : NOT_SO;
    }
    if (world.now().getTime() >= asked.getTime() + timeoutSeconds * 1000) {
      const why = now.status?.conditions?.find(({ type }) => type === 'Reconciling')?.message ?? '';
      world.complain(`mv/${version.metadata.name} was not verified in time: ${why}`);
      return NOT_YET;
    }
    await world.sleep(POLL_MS);
  }
}

const nameOf = ({ metadata }: ModelVersion): string => `${metadata.namespace}/${metadata.name}`;

/** Runs a command about a version; the exit status. */
export async function runRegistryAct(act: RegistryAct, object: Watched, hands: Hands): Promise<number> {
  const { world, send, approver } = hands;
  const version = object as ModelVersion;
  switch (act.verb) {
    case 'lineage':
      return lineage(object, world);
    case 'history':
      world.print(historyLines(object as InferenceService | ModelVersion));
      return 0;
    case 'card':
      world.print(cardLines(nameOf(version), cardOf(version), act.format));
      return 0;
    case 'verify':
      return verify(version, act.timeoutSeconds, hands);
    case 'setStage':
      return send(stageRequest(version, act.stage));
    case 'approveVersion':
      return send(versionApprovalRequest(version, act.stage, await approver(act.comment)));
  }
}
