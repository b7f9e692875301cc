import type { InferenceService, ModelVersion } from '../../src/api/kinds.ts';
import { targetOf } from '../../src/controllers/inferenceservice/target.ts';
import { percentText } from '../../src/domain/guards/percent.ts';
import { plan } from '../../src/domain/rollout/plan.ts';
import type { World } from '../../src/domain/rollout/world.ts';
import { COLUMNS, field, span, wrap } from '../render/text.ts';
import { cleanRequests, stepSeconds, stepTable } from './stepTable.ts';

export interface PlanQuestion {
  /** As it will be: what the API server makes of the manifest. */
  readonly service: InferenceService;
  readonly modelVersion: ModelVersion | undefined;
  readonly now: Date;
  /** Requests of the whole service; undefined: not told. */
  readonly perSecond: number | undefined;
}

const ON_ITS_WAY = ['Preparing', 'Shadowing', 'Previewing', 'Shifting', 'Baking', 'RollingBack'];

/** The candidate that is on its way now, whatever the manifest asks for. */
function underWay({ service: { status } }: PlanQuestion) {
  const { candidate } = status ?? {};
  return candidate !== undefined && ON_ITS_WAY.includes(candidate.phase) ? candidate : undefined;
}

/**
 * What a rollout on its way has now. A command line sees neither its pods nor its evidence: without these it would
 * be told that its pods are gone, or that its guards are blind, and so be rolled back.
 */
function asItStands(question: PlanQuestion): Pick<World, 'revisions' | 'route' | 'spec'> {
  const { spec, status = {} } = question.service;
  const { stable, traffic } = status;
  const facts = { replicas: status.replicas ?? 0, ready: status.readyReplicas ?? 0 };
  const serving = stable === undefined ? {} : { [stable.revision]: facts };
  const candidate = underWay(question);
  if (candidate === undefined) {
    const route =
      stable === undefined
        ? ({ state: 'Absent' } as const)
        : ({ state: 'Programmed', weights: { [stable.revision]: 10_000 } } as const);
    return { spec, revisions: serving, route };
  }
  const pods = Math.max(spec.predictor.replicas.min, facts.replicas);
  const { programmed } = traffic ?? {};
  const weights = {
    ...(stable === undefined ? {} : { [stable.revision]: programmed?.stable ?? 10_000 }),
    [candidate.revision]: programmed?.candidate ?? 0,
  };
  return {
    spec: { ...spec, rollout: { ...spec.rollout, onBlind: 'Hold', onInconclusive: 'Hold' } },
    revisions: { ...serving, [candidate.revision]: { replicas: pods, ready: pods } },
    route: { state: 'Programmed', weights },
  };
}

/** The world of the next pass, all else as it stands: pods as many as wanted, and nothing new counted. */
function nextWorld(question: PlanQuestion): World {
  const { service, modelVersion, now } = question;
  const { annotations = {}, generation = 0 } = service.metadata;
  return {
    now,
    generation,
    guardPeriodMs: 1000,
    podsAreAsked: true,
    ...asItStands(question),
    status: service.status ?? {},
    asked: { ...(annotations['slipway.dev/retry'] === undefined ? {} : { retry: annotations['slipway.dev/retry'] }) },
    target: targetOf(service, modelVersion),
    evidence: {},
  };
}

const BEGINS = ['start', 'replace-candidate', 'serve-first-version'];

function wantedText({ service, modelVersion }: PlanQuestion): string {
  const { name, version, follow } = service.spec.model;
  if (version !== undefined) return `${name} ${version}`;
  return modelVersion === undefined
    ? `${name} in ${follow}`
    : `${name} ${modelVersion.spec.version}, current in ${follow}`;
}

function accelerators({ spec }: InferenceService): string[] {
  const { accelerator, replicas } = spec.predictor;
  if (accelerator === undefined) return [];
  const pods = spec.rollout.surge === 'Never' ? 0 : replicas.min;
  const resource = accelerator.resource ?? 'nvidia.com/gpu';
  const beside = pods === 0 ? 'none: it takes over pods in place' : `${pods * (accelerator.count ?? 1)} ${resource}`;
  return field('surge', `${beside} at 100%, beside those of the stable version`);
}

function time({ service, perSecond }: PlanQuestion): string[] {
  const { rollout } = service.spec;
  const clean = cleanRequests(rollout);
  const told =
    clean === 0 ? [] : field('evidence', `${clean} clean requests of the candidate pass every limit of its own`);
  if (perSecond === undefined) return told;
  const seconds = rollout.steps.map((step) => stepSeconds(rollout, step, perSecond));
  const sum = seconds.reduce<number>((total, s) => total + (s ?? 0), 0);
  const people = seconds.filter((s) => s === undefined).length;
  const waits = people === 0 ? '' : `, and the time that ${people} approval${people > 1 ? 's take' : ' takes'}`;
  return [
    ...told,
    ...field('time', `${span(sum)} at ${perSecond} requests/s, bake of ${rollout.bake} not counted${waits}`),
  ];
}

interface Next {
  readonly lines: readonly string[];
  readonly begins: boolean;
}

const completion = (conditions: readonly { type: string; reason: string; message: string }[] | undefined) =>
  conditions?.find(({ type }) => type === 'RolloutComplete');

/** The operator itself has said what a rollout waits for, and it alone sees the evidence. */
function goesOn(question: PlanQuestion): Next | undefined {
  const { service, modelVersion } = question;
  const candidate = underWay(question);
  if (candidate === undefined) return undefined;
  const meant = candidate.back === true || targetOf(service, modelVersion).revision === candidate.revision;
  if (!meant && candidate.phase !== 'RollingBack') return undefined;
  const said = completion(service.status?.conditions);
  const step = Math.min(candidate.step + 1, service.spec.rollout.steps.length);
  const where = `the rollout of ${candidate.version} goes on from step ${step} (${candidate.phase})`;
  return {
    lines: field('next', said === undefined ? `${where}.` : `${where}. ${said.reason}: ${said.message}`),
    begins: meant && candidate.back !== true && candidate.phase !== 'RollingBack',
  };
}

function byTheRules(question: PlanQuestion): Next {
  const decided = plan(nextWorld(question));
  const complete = completion(decided.observed);
  const message = complete === undefined ? decided.rule : `${complete.reason}: ${complete.message}`;
  const lines = [...field('next', message), ...field('rule', `${decided.rule} (docs/rollout-rules.md)`)];
  return { lines, begins: BEGINS.includes(decided.rule) };
}

/**
 * What the operator will do with a manifest, by the same rules that it decides with: nothing, wait, refuse or roll out,
 * and then each step with pods and time. Lines of at most 80 columns.
 */
export function planLines(question: PlanQuestion): string[] {
  const { service } = question;
  const { metadata, spec, status } = service;
  const next = goesOn(question) ?? byTheRules(question);
  const from = status?.stable?.version;
  const head = [
    `InferenceService ${metadata.namespace}/${metadata.name}`,
    ...field('wants', `${wantedText(question)}${from === undefined ? '' : `, ${from} serves`}`),
    ...next.lines,
  ];
  if (!next.begins) return head;
  if (from === undefined) {
    return [
      ...head,
      ...wrap('There is no version to compare it with: it serves as soon as its pods are ready.', COLUMNS),
    ];
  }
  const { confidence, guards = [] } = spec.rollout;
  const odds = percentText(1 - Number(confidence.fail));
  return [
    ...head,
    ...stepTable(spec.rollout, Math.max(spec.predictor.replicas.min, status?.replicas ?? 0), question.perSecond),
    ...accelerators(service),
    ...field(
      'guards',
      guards.length === 0 ? 'none: only time and readiness decide' : guards.map((g) => g.name).join(', '),
    ),
    ...(guards.length === 0 ? [] : field('risk', `at most ${odds} to roll a good version back, over all looks`)),
    ...time(question),
  ];
}
