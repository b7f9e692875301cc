import { type Evidence, METRICS } from '@slipway/crds/contract';
import type { ServedModel } from '../../models/servedModel.ts';
import type { ProcessState } from '../document.ts';
import type { RefusalCounts } from '../refusals.ts';
import { DATA_FAMILIES } from './dataFamilies.ts';
import { LABEL_FAMILIES } from './labelFamilies.ts';
import { scraped } from './model.ts';
import { MetricsText } from './text.ts';
import { TRAFFIC_FAMILIES } from './trafficFamilies.ts';
import { TRITON_FAMILIES } from './tritonFamilies.ts';

/** What is scraped beside the models. */
export interface ScrapedProcess extends ProcessState {
  readonly refused: RefusalCounts;
  /** Requests of users of the other version, by what became of passing them on. */
  readonly passedOn: Readonly<Record<'forwarded' | 'failed', number>>;
  /** Requests that were traced, and sampled, by what became of that; those that still wait are in neither. */
  readonly observed: Readonly<Record<'traces' | 'samples', { readonly sent: number; readonly dropped: number }>>;
  /** Versions of what runs here: runtime, node, onnxruntime. */
  readonly build: Readonly<Record<string, string>>;
}

export interface ExposedModel extends Pick<ServedModel, 'identity' | 'settings' | 'evidence' | 'scheduler'> {
  /** How the candidate that it is compared with fares. */
  readonly shadow?: Evidence['shadow'];
}

/** All metrics of our own as Prometheus text, read from the counters there and then: no request pays for them. */
export function exposition(
  models: readonly ExposedModel[],
  process: ScrapedProcess,
  options: { readonly tritonNames: boolean },
): string {
  const text = new MetricsText();
  const all = models.map((model) => scraped(model, model.shadow));
  const families = [
    ...TRAFFIC_FAMILIES,
    ...LABEL_FAMILIES,
    ...DATA_FAMILIES,
    ...(options.tritonNames ? TRITON_FAMILIES : []),
  ];
  for (const { name, type, help, write } of families) {
    text.family(name, type, help);
    for (const model of all) write(model, text);
  }
  writeProcess(text, process);
  return text.toString();
}

function writeProcess(
  text: MetricsText,
  { ready, draining, inFlight, refused, passedOn, observed, build }: ScrapedProcess,
): void {
  text.family(
    METRICS.refused,
    'counter',
    'Requests refused before they were read whole, by reason. slipway_requests_total has those over REST that name a model here, too.',
  );
  for (const [reason, count] of Object.entries(refused)) text.sample({ reason }, count);
  text.family(
    METRICS.sessionForwards,
    'counter',
    "Requests of the other version's users: answered there, or here for want of it.",
  );
  for (const [result, count] of Object.entries(passedOn)) text.sample({ result }, count);
  text.family(
    METRICS.observations,
    'counter',
    'Traces and samples of requests: sent, or dropped since nobody took them or there was no room.',
  );
  for (const [kind, { sent, dropped }] of Object.entries(observed)) {
    text.sample({ kind, result: 'sent' }, sent);
    text.sample({ kind, result: 'dropped' }, dropped);
  }
  text.family(METRICS.inFlight, 'gauge', 'Model requests that have arrived and are not answered yet.');
  text.sample({}, inFlight);
  text.family(METRICS.ready, 'gauge', '1 while the process is ready.');
  text.sample({}, Number(ready));
  text.family(METRICS.draining, 'gauge', '1 after SIGTERM.');
  text.sample({}, Number(draining));
  text.family(METRICS.build, 'gauge', 'Always 1; the labels say what runs.');
  text.sample(build, 1);
}
