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

/** The world of the next pass, all else as it stands: pods as many as wanted, and nothing new counted. */
function nextWorld({ service, modelVersion, now }: PlanQuestion): World {
  const { metadata, spec, status = {} } = service;
  const { annotations = {}, generation = 0 } = metadata;
  const facts = { replicas: status.replicas ?? 0, ready: status.readyReplicas ?? 0 };
  const { stable } = status;
  return {
    now,
    generation,
    guardPeriodMs: 1000,
    podsAreAsked: true,
    spec,
    status,
    asked: { ...(annotations['slipway.dev/retry'] === undefined ? {} : { retry: annotations['slipway.dev/retry'] }) },
    target: targetOf(service, modelVersion),
    revisions: stable === undefined ? {} : { [stable.revision]: facts },
    route: stable === undefined ? { state: 'Absent' } : { state: 'Programmed', weights: { [stable.revision]: 10_000 } },
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

/**
 * What the operator will do with a manifest, by the same rules that it decides with: nothing, wait, refuse or roll out,
 * and then each step with pods and time. Lines of at most 80 columns.
 */
export function planLines(question: PlanQuestion): string[] {
  const { service } = question;
  const { metadata, spec, status } = service;
  const decided = plan(nextWorld(question));
  const complete = decided.observed.find(({ type }) => type === 'RolloutComplete');
  const message = complete === undefined ? decided.rule : `${complete.reason}: ${complete.message}`;
  const from = status?.stable?.version;
  const head = [
    `InferenceService ${metadata.namespace}/${metadata.name}`,
    ...field('wants', `${wantedText(question)}${from === undefined ? '' : `, ${from} serves`}`),
    ...field('next', message),
    ...field('rule', `${decided.rule} (docs/rollout-rules.md)`),
  ];
  if (!BEGINS.includes(decided.rule)) return head;
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
