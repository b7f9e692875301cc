import { type InferenceService, type ModelVersion, modelVersions, type TrainingJob } from '../src/api/kinds.ts';
import { currentOf } from '../src/domain/registry/current.ts';
import type { Client } from '../src/kube/client.ts';
import { type Key, resource } from '../src/kube/resource.ts';
import type { KubeObject } from '../src/kube/wire.ts';
import type { Act, Command } from './arguments.ts';
import { explain, explainChain } from './explain.ts';
import { standing, type Watched } from './goals.ts';
import { planLines } from './plan/plan.ts';
import { serviceOf } from './plan/service.ts';
import type { RegistryAct } from './registry/arguments.ts';
import { runRegistryAct } from './registry/run.ts';
import { rehearsed } from './rehearse/run.ts';
import { renderInferenceService, type View } from './render/inferenceService.ts';
import { renderModelVersion } from './render/modelVersion.ts';
import { renderTrainingJob } from './render/trainingJob.ts';
import {
  abortRequest,
  approvalRequest,
  pauseRequest,
  promotionRequest,
  type Request,
  resumeRequest,
  retryRequest,
  rollbackRequest,
} from './requests.ts';
import { RESOURCES, shortName } from './target.ts';

/** What a command needs of the world. `sleep` ends early when the signal aborts. */
export interface Surroundings {
  readonly client: Client;
  readonly namespace: string;
  readonly print: (lines: readonly string[]) => void;
  /** Shows the lines in place of those before; undefined where output is no terminal. */
  readonly redraw?: ((lines: readonly string[]) => void) | undefined;
  readonly complain: (sentence: string) => void;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}
interface SelfSubjectReview extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}
/** The commands that ask a cluster. */
export type ConnectedCommand = Exclude<Command, { verb: 'help' | 'version' | 'rate' }>;
type TargetCommand = Extract<ConnectedCommand, { target: unknown }>;

const POLL_MS = 1000;

export function renderObject(object: Watched, now: Date, view: View = { bars: false }): string[] {
  if (object.kind === 'TrainingJob') return renderTrainingJob(object as TrainingJob, now);
  if (object.kind === 'ModelVersion') return renderModelVersion(object as ModelVersion);
  return renderInferenceService(object as InferenceService, now, view);
}

const keyFor = (command: TargetCommand, { namespace }: Surroundings): Key => ({
  namespace: command.namespace ?? namespace,
  name: command.target.name,
});

async function read(command: TargetCommand, world: Surroundings): Promise<Watched> {
  const key = keyFor(command, world);
  const found = await world.client.get(RESOURCES[command.target.kind], key, { signal: world.signal });
  if (found === undefined) {
    throw new Error(`There is no ${shortName(command.target)} in namespace ${key.namespace}; name another with -n.`);
  }
  return found as unknown as Watched;
}

/** At a terminal one view that is redrawn each second; elsewhere the status again at each change of the object. */
const watch = (command: TargetCommand, world: Surroundings): Promise<number> =>
  world.redraw === undefined ? follow(command, world) : keepInView(command, world, world.redraw);

async function keepInView(
  command: TargetCommand,
  world: Surroundings,
  redraw: (lines: readonly string[]) => void,
): Promise<number> {
  for (; !world.signal.aborted; await world.sleep(POLL_MS)) {
    redraw(renderObject(await read(command, world), world.now(), { bars: true }));
  }
  return 0;
}

/** Ages move each second, so a change is told by the object, not by its rendering. */
async function follow(command: TargetCommand, world: Surroundings): Promise<number> {
  for (let seen = ''; !world.signal.aborted; await world.sleep(POLL_MS)) {
    const object = await read(command, world);
    if (object.metadata.resourceVersion === seen) continue;
    if (seen !== '') world.print(['']);
    seen = object.metadata.resourceVersion ?? '';
    world.print(renderObject(object, world.now()));
  }
  return 0;
}

/** Of `wait`, for scripts: the goal is out of reach, or the time was up before it was decided. */
const NEVER = 1;
const NOT_YET = 2;

async function wait(command: Extract<Command, { verb: 'wait' }>, world: Surroundings): Promise<number> {
  const deadline = world.now().getTime() + command.timeoutSeconds * 1000;
  for (;;) {
    const where = standing(await read(command, world), command.goal);
    if (where.kind === 'reached') {
      world.print([`${shortName(command.target)}: ${command.goal}`]);
      return 0;
    }
    const late = world.now().getTime() >= deadline;
    if (where.kind === 'never' || late) {
      const ending = where.kind === 'never' ? 'will not become' : 'did not in time become';
      world.complain(`${shortName(command.target)} ${ending} ${command.goal}: ${where.why}`);
      return where.kind === 'never' ? NEVER : NOT_YET;
    }
    await world.sleep(POLL_MS);
  }
}

async function send(request: Request, command: TargetCommand, world: Surroundings): Promise<number> {
  if (request.kind === 'refused') {
    world.complain(request.why);
    return 1;
  }
  await world.client.merge(RESOURCES[command.target.kind], keyFor(command, world), request.patch);
  world.print([request.done]);
  return 0;
}

const ACT_REQUESTS: Readonly<Record<Act, (service: InferenceService) => Request>> = {
  promote: promotionRequest,
  pause: pauseRequest,
  resume: resumeRequest,
  abort: abortRequest,
  rollback: rollbackRequest,
};
const REGISTRY: readonly string[] = ['card', 'verify', 'lineage', 'history', 'setStage', 'approveVersion'];
const isRegistryAct = (command: TargetCommand): command is Extract<TargetCommand, RegistryAct> =>
  REGISTRY.includes(command.verb);
const isAct = (verb: string): verb is Act => verb in ACT_REQUESTS;

const selfSubjectReviews = resource<SelfSubjectReview>(
  'authentication.k8s.io',
  'v1',
  'SelfSubjectReview',
  'selfsubjectreviews',
  false,
);

/** The name that the API server knows the caller by: the only one it may approve under. */
async function whoAmI({ client, signal }: Surroundings): Promise<string> {
  const question: SelfSubjectReview = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
    metadata: { name: '' },
  };
  const { status } = await client.create(selfSubjectReviews, question, { signal });
  return status?.userInfo?.username ?? '';
}

/** The version that a service names, or the one that it follows as of now. */
async function versionOf({ spec }: InferenceService, namespace: string, { client, signal }: Surroundings) {
  const { name, version } = spec.model;
  if (version !== undefined) return client.get(modelVersions, { namespace, name: `${name}-${version}` }, { signal });
  const all = await client.list(modelVersions, namespace, { signal });
  return currentOf(all.filter((one) => one.spec.model === name));
}

async function lookAhead(
  command: Extract<Command, { verb: 'plan' | 'rehearse' }>,
  world: Surroundings,
): Promise<number> {
  const namespace = command.namespace ?? world.namespace;
  const service = await serviceOf(command.source, { ...world, namespace });
  if (command.verb === 'rehearse') {
    world.print(await rehearsed(command, service, world));
    return 0;
  }
  const modelVersion = await versionOf(service, service.metadata.namespace ?? namespace, world);
  world.print(planLines({ service, modelVersion, now: world.now(), perSecond: command.perSecond }));
  return 0;
}

/** The versions that serve and that come, as far as they are still there. */
async function chainOf(object: Watched, { client, signal }: Surroundings): Promise<string[]> {
  if (object.kind !== 'InferenceService') return [];
  const service = object as InferenceService;
  const { stable, candidate } = service.status ?? {};
  const wanted = [candidate?.version ?? service.spec.model.version, stable?.version];
  const names = [...new Set(wanted.filter((v) => v !== undefined))].map((v) => `${service.spec.model.name}-${v}`);
  const { namespace = '' } = service.metadata;
  const found = await Promise.all(names.map((name) => client.get(modelVersions, { namespace, name }, { signal })));
  return explainChain(
    service,
    found.filter((version) => version !== undefined),
  );
}

/** Runs one command and returns the exit status: 0 done, 1 not done, 2 not yet. Throws what the API server refuses. */
export async function run(command: ConnectedCommand, world: Surroundings): Promise<number> {
  if (command.verb === 'plan' || command.verb === 'rehearse') return lookAhead(command, world);
  if (command.verb === 'watch') return watch(command, world);
  if (command.verb === 'wait') return wait(command, world);
  const object = await read(command, world);
  const approver = async (comment?: string) => ({ by: await whoAmI(world), at: world.now(), comment });
  if (command.verb === 'approve') {
    return send(approvalRequest(object as InferenceService, await approver(command.comment)), command, world);
  }
  if (isRegistryAct(command)) {
    const hands = {
      world,
      approver,
      send: (request: Request) => send(request, command, world),
      read: () => read(command, world),
    };
    return runRegistryAct(command, object, hands);
  }
  if (isAct(command.verb)) return send(ACT_REQUESTS[command.verb](object as InferenceService), command, world);
  if (command.verb === 'retry') return send(retryRequest(object as InferenceService, command.revision), command, world);
  if (command.verb !== 'explain') world.print(renderObject(object, world.now()));
  else world.print([...explain(object), ...(await chainOf(object, world))]);
  return 0;
}
