import { ANNOTATIONS } from '@slipway/crds/contract';
import { Cron } from 'croner';
import { rfc3339 } from '../../kube/conditions.ts';
import { askingEvent } from './event.ts';
import type { RetrainStatus, RetrainWorld, Trigger } from './world.ts';

/** Something that asks for a retraining, and what the status keeps so that it does not ask twice. */
export interface Wish {
  readonly trigger: Trigger;
  /** Why, as the provenance of the version tells it. */
  readonly why: string;
  readonly mark: Partial<RetrainStatus>;
}

const cronOf = (schedule: string, timeZone: string): Cron => new Cron(schedule, { timezone: timeZone, paused: true });

/** Why a time table can't be read; undefined: it can. */
export function scheduleFault(schedule: string | undefined, timeZone: string): string | undefined {
  if (schedule === undefined) return undefined;
  try {
    const next = cronOf(schedule, timeZone).nextRun(new Date(0));
    return next === null ? `The schedule "${schedule}" never comes: give a day that exists.` : undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return `The schedule "${schedule}" in ${timeZone} can't be read (${said}): write five cron fields such as 0 3 * * 1, and an IANA time zone.`;
  }
}

/** When the schedule comes next. */
export const nextScheduled = (schedule: string, timeZone: string, now: Date): Date | undefined =>
  cronOf(schedule, timeZone).nextRun(now) ?? undefined;

const value = ({ infs }: RetrainWorld, annotation: string): string => infs.metadata.annotations?.[annotation] ?? '';

function asked(world: RetrainWorld, { lastAsked }: RetrainStatus): Wish | undefined {
  const wanted = value(world, ANNOTATIONS.retrain).slice(0, 63);
  if (wanted === '' || wanted === lastAsked) return undefined;
  return {
    trigger: 'Asked',
    why: `Asked by the annotation ${ANNOTATIONS.retrain}: ${wanted}`,
    mark: { lastAsked: wanted },
  };
}

/** Events that came while nothing could start are one wish: the newest tells what for. */
function toldByEvent(world: RetrainWorld, { lastEvent }: RetrainStatus): Wish | undefined {
  const event = askingEvent(value(world, ANNOTATIONS.retrainEvent));
  if (event === undefined || event.key === lastEvent) return undefined;
  const { key, type, source, id, by } = event;
  return {
    trigger: 'CloudEvent',
    why: `CloudEvent ${type} from ${source} (id ${id}), sent by ${by}`,
    mark: { lastEvent: key },
  };
}

/** Times that went by while nothing could start are one wish, not many. */
function scheduled({ infs, now }: RetrainWorld, { lastScheduled }: RetrainStatus): Wish | undefined {
  const { schedule, timeZone = 'UTC' } = infs.spec.retrain ?? {};
  if (schedule === undefined || lastScheduled === undefined) return undefined;
  const [due] = cronOf(schedule, timeZone).previousRuns(1, new Date(now.getTime() + 1));
  if (due === undefined || due.getTime() <= Date.parse(lastScheduled)) return undefined;
  return { trigger: 'Schedule', why: `Schedule ${schedule} (${timeZone})`, mark: { lastScheduled: rfc3339(due) } };
}

/** How the reason of a retraining by drift begins. */
export const DRIFT_OF = 'Drift of ';
/** Measures that tell of a broken pipeline: a model trained on what is missing would learn that it is missing. */
const OF_THE_SCHEMA: readonly string[] = ['missing'];

/** Of what late labels say; all else is Drift. */
const TRIGGERS: Readonly<Record<string, 'Accuracy' | 'Calibration'>> = {
  accuracy: 'Accuracy',
  calibration: 'Calibration',
};

/**
 * One drift is one wish, and the same again while what came of it led to nothing: a model that could not be trained for
 * want of a node is still as wrong as before. The loop guard ends that.
 */
function drifted({ infs }: RetrainWorld, done: RetrainStatus): Wish | undefined {
  const { spec, status } = infs;
  const condition = status?.conditions?.find(({ type }) => type === 'DriftDetected');
  if (spec.drift?.action !== 'Retrain' || condition?.status !== 'True') return undefined;
  const version = status?.drift?.version ?? '';
  const worst = status?.drift?.worst?.filter((entry) => entry.drifted && !OF_THE_SCHEMA.includes(entry.measure)) ?? [];
  const [first] = worst;
  const since = condition.lastTransitionTime;
  const isAnswered = done.lastDrift === since && done.lastDriftVersion === version && done.rejections === 0;
  if (first === undefined || isAnswered) return undefined;
  return {
    trigger: TRIGGERS[first.measure] ?? 'Drift',
    why: `${DRIFT_OF}${first.name}: ${first.measure} ${first.value} ${first.measure === 'accuracy' ? 'under' : 'over'} ${first.limit}`,
    mark: { lastDrift: since, lastDriftVersion: version },
  };
}

/** What asks for a retraining now, the most urgent first. */
export const wishesOf = (world: RetrainWorld, status: RetrainStatus): Wish[] =>
  [asked, drifted, toldByEvent, scheduled].map((wish) => wish(world, status)).filter((wish) => wish !== undefined);
