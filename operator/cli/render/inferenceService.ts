import type { InferenceServiceStatus } from '@slipway/crds';
import type { InferenceService } from '../../src/api/kinds.ts';
import { whomItAwaits } from './awaited.ts';
import { conditionLines } from './conditions.ts';
import { intervalBar, numberOf } from './intervalBar.ts';
import { COLUMNS, field, since, table, wrap } from './text.ts';

type Candidate = NonNullable<InferenceServiceStatus['candidate']>;
type Weights = NonNullable<InferenceServiceStatus['traffic']>['desired'];

const HISTORY = 5;

function stableLines({ stable, readyReplicas = 0, replicas = 0 }: InferenceServiceStatus): string[] {
  if (stable === undefined) return field('stable', 'none yet: no version has become ready');
  return field('stable', `${stable.version}, revision ${stable.revision}, ${readyReplicas}/${replicas} ready`);
}

/** A candidate that got there is the stable version: as a candidate it would seem to get none of the traffic. */
const hasArrived = ({ stable, candidate }: InferenceServiceStatus): boolean =>
  candidate?.phase === 'Complete' && candidate.revision === stable?.revision;

function candidateLines(candidate: Candidate, steps: number, now: Date): string[] {
  const { version, revision, phase, step, stepStartedAt } = candidate;
  const stepping = ['Shadowing', 'Previewing', 'Shifting'].includes(phase);
  const shifting = stepping ? ` step ${Math.min(step + 1, steps)}/${steps}` : '';
  const age = stepStartedAt === undefined ? '' : ` for ${since(stepStartedAt, now)}`;
  return field('candidate', `${version}, revision ${revision}, ${phase}${shifting}${age}`);
}

const shadowLines = ({ shadow }: Candidate): string[] =>
  shadow === undefined ? [] : field('shadow', `${shadow}% of requests are copied to it; users get none of its answers`);

const candidateShare = (weights: Weights): string => {
  const total = weights.stable + weights.candidate;
  return total === 0 ? 'none' : `${((100 * weights.candidate) / total).toFixed(1)}%`;
};

function trafficLines(status: InferenceServiceStatus): string[] {
  if (status.traffic === undefined) return [];
  const { desired, programmed, observed } = status.traffic;
  if (hasArrived(status) && desired.candidate === 0 && programmed?.candidate === 0) {
    return field('traffic', `all of it goes to ${status.stable?.version}`);
  }
  const shares = Object.entries({ desired, programmed, observed }).flatMap(([name, weights]) =>
    weights === undefined ? [] : [`${name} ${candidateShare(weights)}`],
  );
  return field('weight', shares.join(', '));
}

type GuardStatus = NonNullable<Candidate['guards']>[number];

const BAR = 40;

function barOf({ low, rate, high, limit }: GuardStatus): string | undefined {
  const [a, b, c, d] = [low, rate, high, limit].map(numberOf);
  return a === undefined || b === undefined || c === undefined || d === undefined
    ? undefined
    : `      ${intervalBar({ low: a, rate: b, high: c, limit: d }, BAR)}`;
}

function guardLines(guards: Candidate['guards'], { bars }: View): string[] {
  if (guards === undefined || guards.length === 0) return [];
  const header = ['GUARD', 'VERDICT', 'RATE', '[LOW, HIGH]', 'LIMIT', 'N', 'ETA'];
  const rows = guards.map((g) => [
    g.name,
    g.observe === true ? `(${g.verdict})` : g.verdict,
    g.rate,
    `[${g.low}, ${g.high}]`,
    g.limit,
    String(g.n),
    g.eta ?? '-',
  ]);
  const [head = '', ...lines] = table([header, ...rows], 2);
  if (!bars && guards.every(({ message }) => message === undefined)) return [head, ...lines];
  const told = guards.map((g) => [
    ...(bars ? [barOf(g)] : []),
    ...(g.message === undefined ? [] : wrap(g.message, COLUMNS - 6).map((line) => `      ${line}`)),
  ]);
  return [head, ...lines.flatMap((line, i) => [line, ...(told[i] ?? []).filter((text) => text !== undefined)])];
}

function rejectedLines({ rejected }: InferenceServiceStatus, now: Date): string[] {
  if (rejected === undefined || rejected.length === 0) return [];
  const rows = rejected.map((r) => [r.version, r.revision, `${since(r.at, now)} ago`, `${r.reason}: ${r.message}`]);
  return ['  rejected', ...table(rows)];
}

function historyLines({ history }: InferenceServiceStatus, now: Date): string[] {
  if (history === undefined || history.length === 0) return [];
  const rows = history
    .slice(-HISTORY)
    .map((h) => [
      `${since(h.at, now)} ago`,
      `${h.from} -> ${h.to}`,
      h.message === '' ? h.reason : `${h.reason}: ${h.message}`,
    ]);
  return ['  history', ...table(rows)];
}

/** How much is shown. `bars`: each guard's interval as a line that narrows, for a view that is redrawn. */
export interface View {
  readonly bars: boolean;
}

/** What the service serves, what is being rolled out, and on what evidence. Lines of at most 80 columns. */
export function renderInferenceService(service: InferenceService, now: Date, view: View = { bars: false }): string[] {
  const { metadata, spec, status = {} } = service;
  const candidate = hasArrived(status) ? undefined : status.candidate;
  return [
    `InferenceService ${metadata.namespace}/${metadata.name}`,
    ...field(
      'wants',
      `${spec.model.name} ${spec.model.version ?? `in ${spec.model.follow}, whichever came there last`}`,
    ),
    ...(status.url === undefined ? [] : field('url', status.url)),
    ...stableLines(status),
    ...(candidate === undefined ? [] : candidateLines(candidate, spec.rollout.steps.length, now)),
    ...(candidate === undefined ? [] : shadowLines(candidate)),
    ...(candidate?.awaitingApproval === true
      ? field('awaits', `approval by ${whomItAwaits(spec, status)}: kubectl slipway approve infs/${metadata.name}`)
      : []),
    ...trafficLines(status),
    ...guardLines(candidate?.guards, view),
    ...conditionLines(status.conditions),
    ...rejectedLines(status, now),
    ...historyLines(status, now),
  ];
}
