import type { Gate } from '@slipway/crds';
import { Failure } from '../../artifact/failure.ts';
import type { ReportedMetric } from '../reported/reported.ts';
import { comparison, type Finding, number, verdictOf } from './verdict.ts';

export type ReportedGate = Gate & { readonly reported: string };

const SOURCE = 'reported by the training, not computed';
const NAMED = 12;

/** Upper and lower case, hyphens and spaces are the exporter's taste. */
const plain = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, '');

/** Holds a number that the training itself reports: by its own interval where it has one, else as it is. Throws Failure EvaluationInvalid. */
export function judgeReported(gate: ReportedGate, reported: readonly ReportedMetric[]): Finding {
  const { value, low = value, high = value, n = 0, file, name, slice } = theOne(gate, reported);
  const bound = gate.min === undefined ? 'max' : 'min';
  const written = gate[bound] ?? '';
  const limit = Number(written);
  const verdict = verdictOf({ low, high }, limit, bound);
  const interval = low === value && high === value ? '' : ` (95 % ${number(low)} to ${number(high)})`;
  const where = slice === undefined ? '' : ` of ${slice}`;
  const hint = verdict === 'NeedMore' ? '; evaluate on more held-out examples' : '';
  return {
    verdict,
    value,
    low,
    high,
    limit,
    n,
    message: `${name}${where} ${number(value)}${interval} ${comparison(verdict, bound, written)}${hint} (${file}: ${SOURCE})`,
    method: SOURCE,
    facts: { file },
  };
}

function theOne({ name, reported }: ReportedGate, all: readonly ReportedMetric[]): ReportedMetric {
  const byExactName = all.filter((one) => one.name === reported);
  const byName = byExactName.length > 0 ? byExactName : all.filter((one) => matches(one.name, reported));
  const overall = byName.filter(({ slice }) => slice === undefined);
  const found = overall.length > 0 ? overall : byName;
  const [first] = found;
  if (!first) {
    const names = [...new Set(all.map((one) => one.name))];
    const there =
      names.length === 0
        ? 'it reports none: write evaluation/metrics.json, a model-index or a TFMA result'
        : `it reports ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ''}`;
    throw new Failure('EvaluationInvalid', `Gate ${name}: the training reports no "${reported}"; ${there}.`);
  }
  if (found.some(({ value }) => value !== first.value)) {
    throw new Failure(
      'EvaluationInvalid',
      `Gate ${name}: "${reported}" could be ${[...new Set(found.map((one) => `${one.name}${one.dataset ? ` on ${one.dataset}` : ''} (${one.value}, ${one.file})`))].slice(0, NAMED).join(' or ')}; write its whole name.`,
    );
  }
  return first;
}

/** A nested name is found by its last part too: auc for binary_classification_metrics.auc. */
const matches = (name: string, wanted: string): boolean =>
  plain(name) === plain(wanted) || plain(name).endsWith(`.${plain(wanted)}`);
