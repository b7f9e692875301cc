import type { Condition } from '@slipway/crds';
import type { InferenceService, ModelVersion } from '../src/api/kinds.ts';
import { readingOf } from '../src/domain/guards/kinds.ts';
import { WHERE_ASKED } from '../src/domain/guards/question.ts';
import { brokenLink } from '../src/domain/rollout/history.ts';
import type { Watched } from './goals.ts';
import { whomItAwaits } from './render/awaited.ts';
import { find, isTrue, isUnwelcome } from './render/conditions.ts';
import { COLUMNS, wrap } from './render/text.ts';

type Candidate = NonNullable<NonNullable<InferenceService['status']>['candidate']>;

/** One thing that can be the matter with an InferenceService: undefined when it is not. */
type Finding = (service: InferenceService) => string | undefined;

const rejection: Finding = ({ metadata, spec, status }) => {
  const latest = status?.rejected?.findLast(({ version }) => version === (spec.model.version ?? version));
  if (latest === undefined || !isTrue(status?.conditions, 'Stalled')) return undefined;
  return (
    `Version ${latest.version} was rolled back. ${latest.reason}: ${latest.message} ` +
    `Applying the same spec again changes nothing. Serve another version, or try this one again: ` +
    `kubectl slipway retry infs/${metadata.name}`
  );
};

const approval: Finding = ({ metadata, spec, status }) =>
  status?.candidate?.awaitingApproval === true
    ? `Step ${status.candidate.step + 1} waits for ${whomItAwaits(spec, status)}: kubectl slipway approve infs/${metadata.name}`
    : undefined;

const paused: Finding = ({ metadata, status }) => {
  const told = find(status?.conditions, 'Paused');
  if (told?.status !== 'True' || told.reason !== 'PausedByPerson') return undefined;
  return `A person paused it, and guards stay armed. It goes on with: kubectl slipway resume infs/${metadata.name}`;
};

const preparing: Finding = ({ status }) =>
  status?.candidate?.phase === 'Preparing'
    ? `The pods of ${status.candidate.version} are not all ready; traffic stays where it is until they are.`
    : undefined;

const unprogrammed: Finding = ({ status }) => {
  const { desired, programmed } = status?.traffic ?? {};
  if (desired === undefined || programmed?.candidate === desired.candidate) return undefined;
  return 'The gateway has not yet accepted the weights that the rollout asks for.';
};

type Told = NonNullable<Candidate['guards']>[number];

const guardText = ({ name, verdict, n, low, high, limit, eta, message }: Told): string => {
  const interval = `[${low}, ${high}] against a limit of ${limit}`;
  if (verdict === 'Blind') {
    return `Guard ${name} is blind: ${message ?? 'no evidence reaches the operator'}, so the rollout holds.`;
  }
  if (verdict === 'SharedFault') {
    return `Guard ${name} is beyond its limit, and so is the stable version: the candidate is not to blame, and the rollout holds.`;
  }
  if (verdict === 'NeedMore') {
    return `Guard ${name} needs more requests: ${n} so far give ${interval}${eta === undefined ? '' : `, about ${eta} to go`}.`;
  }
  return `Guard ${name} says ${verdict} on ${n} requests: ${interval}.`;
};

/** What a guard that does not pass keeps from going on: many wait for nothing in some phases, as errors in a preview. */
const guards: Finding = ({ spec, status }) => {
  const { phase, guards: told = [] } = status?.candidate ?? {};
  const judged = WHERE_ASKED.find((one) => one === phase);
  if (judged === undefined) return undefined;
  const undecided = told.filter(({ name, verdict, observe }) => {
    const guard = spec.rollout.guards?.find((one) => one.name === name);
    if (guard === undefined || observe === true) return false;
    const { isJudgedIn, holds } = readingOf(guard);
    return isJudgedIn(judged) && (verdict === 'Fail' || holds(judged).includes(verdict));
  });
  return undecided.length === 0 ? undefined : undecided.map(guardText).join(' ');
};

const FINDINGS: readonly Finding[] = [rejection, approval, paused, preparing, unprogrammed, guards];

const sentence = (c: Condition): string => `${c.type}=${c.status} (${c.reason}): ${c.message}`;

/** Conditions that say the same are told once. */
const unwelcome = ({ status }: Watched): string[] => {
  const all = (status?.conditions ?? []).filter(isUnwelcome);
  return all.filter((c, i) => all.findIndex(({ message }) => message === c.message) === i).map(sentence);
};

/** That nothing answers, that somebody must act, and that the world has moved, where no finding says it already. */
function alarms({ status }: Watched, found: readonly string[]): string[] {
  const grave = (status?.conditions ?? []).filter(
    (c) => ['Ready', 'Stalled', 'DriftDetected'].includes(c.type) && isUnwelcome(c),
  );
  const all = found.join(' ');
  return grave
    .filter(({ message }, i) => grave.findIndex((c) => c.message === message) === i && !isTold(message, all))
    .map(sentence);
}

/** A rejection is told as the message of its condition has it, but for what stands before its numbers. */
const isTold = (message: string, told: string): boolean =>
  told.includes(message.replace(/^.*was rolled back[^:]*: /, '').replace(/ Change the spec, .*$/, ''));

function findings(object: Watched): string[] {
  if (object.kind === 'TrainingJob' && 'placement' in (object.status ?? {})) {
    const { placement } = object.status as { placement?: string };
    return placement === undefined || placement === '' ? [] : [`No node takes the pods: ${placement}`];
  }
  if (object.kind !== 'InferenceService') return [];
  return FINDINGS.map((finding) => finding(object as InferenceService)).filter((text) => text !== undefined);
}

/** The last decision with its numbers, and whether anything in the record of decisions was changed afterwards. */
const decision = ({ status }: InferenceService): string[] => {
  const history = status?.history ?? [];
  const last = history.at(-1);
  if (last === undefined) return [];
  const broken = brokenLink(history);
  const chain =
    broken === undefined
      ? `the ${history.length} decisions kept hold together, this one as ${last.hash.slice(0, 12)}`
      : `the record was changed after it was written, at the decision of ${history[broken]?.at}`;
  const by = last.by === undefined ? '' : ` by ${last.by}`;
  return [`Last decision, ${last.at}${by}: ${last.from} to ${last.to}, ${last.reason}. ${last.message} (${chain})`];
};

/** Where a version comes from: training run, image, code, gates. */
function origin({ metadata, spec, status }: ModelVersion): string {
  const { trainingJob, image, source } = spec.provenance ?? {};
  const gates = (status?.gates ?? []).map(
    ({ name, verdict, value, low, high }) => `${name} ${verdict}: ${value} [${low}, ${high}]`,
  );
  const parts = [
    ...(trainingJob === undefined ? ['made by no TrainingJob'] : [`made by tj/${trainingJob}`]),
    ...(image === undefined ? [] : [`image ${image}`]),
    ...(source?.revision === undefined ? [] : [`source ${source.repository}@${source.revision}`]),
    gates.length === 0 ? 'no gates' : `gates ${gates.join('; ')}`,
  ];
  return `ModelVersion ${metadata.name} (${spec.artifact.digest.slice(0, 19)}): ${parts.join(', ')}.`;
}

/** The chain from the last decision about a service to the training runs of the versions it is about. */
export const explainChain = (service: InferenceService, versions: readonly ModelVersion[]): string[] =>
  [...decision(service), ...versions.map(origin)].flatMap((text) => ['', ...wrap(text, COLUMNS)]);

/** What an object waits for and what a person can do about it, one paragraph each. Never empty. */
export function explain(object: Watched): string[] {
  const { status } = object;
  if (find(status?.conditions, 'Ready') === undefined && status?.conditions === undefined) {
    return wrap('The operator has not seen this object: is it running? kubectl -n slipway-system get pods', COLUMNS);
  }
  const found = findings(object);
  // A finding says what the conditions say, and what to do about it; alarms are said in any case.
  const paragraphs = found.length === 0 ? unwelcome(object) : [...found, ...alarms(object, found)];
  const all = paragraphs.length === 0 ? ['All is as the spec asks; it waits for nothing.'] : paragraphs;
  return all.flatMap((text) => wrap(text, COLUMNS));
}
