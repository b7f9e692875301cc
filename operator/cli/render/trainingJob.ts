import type { TrainingJobStatus } from '@slipway/crds';
import type { TrainingJob } from '../../src/api/kinds.ts';
import { conditionLines } from './conditions.ts';
import { field, since, span } from './text.ts';

function timeText({ startedAt, finishedAt }: TrainingJobStatus, now: Date): string | undefined {
  if (startedAt === undefined) return undefined;
  if (finishedAt === undefined) return `${since(startedAt, now)} so far`;
  return `${span((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)}, ended ${since(finishedAt, now)} ago`;
}

/** The last report before the end is not the end, so it is shown only while there may be another. */
function progressText({ phase, progress }: TrainingJobStatus): string | undefined {
  if (progress === undefined || phase !== 'Running') return undefined;
  const { step, total, epoch, metrics = {}, eta, percent } = progress;
  const parts = [
    total === undefined ? `step ${step}` : `step ${step}/${total}`,
    percent ?? '',
    epoch === undefined ? '' : `epoch ${epoch}`,
    eta === undefined ? '' : `${eta} left`,
    ...Object.entries(metrics).map(([name, value]) => `${name}=${value}`),
  ];
  return parts.filter((part) => part !== '').join(', ');
}

const attemptText = ({ attempt, restarts = 0 }: TrainingJobStatus): string | undefined =>
  attempt === undefined ? undefined : `${attempt} (${restarts} restarts)`;

const nodesText = ({ nodes }: TrainingJobStatus): string | undefined =>
  nodes === undefined ? undefined : `${nodes.active} active, ${nodes.ready} ready, ${nodes.failed} failed`;

/** Where a training run stands and what it made. Lines of at most 80 columns. */
export function renderTrainingJob(job: TrainingJob, now: Date): string[] {
  const { metadata, spec, status = {} } = job;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['trains', `${spec.model.name} ${status.version ?? spec.model.version}`],
    ['phase', status.phase],
    ['attempt', attemptText(status)],
    ['time', timeText(status, now)],
    ['progress', progressText(status)],
    ['pods', nodesText(status)],
    ['placement', status.placement],
    ['image', status.image],
    ['artifact', status.artifact?.uri],
    ['made', status.modelVersion === undefined ? undefined : `mv/${status.modelVersion}`],
  ];
  return [
    `TrainingJob ${metadata.namespace}/${metadata.name}`,
    ...fields.flatMap(([label, text]) => (text === undefined || text === '' ? [] : field(label, text))),
    ...conditionLines(status.conditions),
  ];
}
