import type { Tensor } from '@slipway/crds/contract';
import type { ReportDocument } from './document.ts';

/** A table of the card, in Markdown and in HTML alike. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface CardSection {
  readonly title: string;
  readonly text?: string;
  readonly table?: Table;
  /** Said where the table has no row. */
  readonly otherwise?: string;
}

/** Four digits of a share, five of anything larger. */
export const shown = (value: number): string => {
  if (Math.abs(value) >= Number.MAX_VALUE || !Number.isFinite(value)) return 'unknown';
  return Math.abs(value) < 10 ? Number(value.toFixed(4)).toString() : Number(value.toPrecision(5)).toLocaleString('en');
};
export const range = ({ low, high }: { readonly low: number; readonly high: number }): string =>
  `${shown(low)} to ${shown(high)}`;

const shape = ({ name, datatype, shape: sizes }: Tensor): string =>
  `${name}: ${datatype} [${sizes.map((size) => (size < 0 ? 'any' : size)).join(', ')}]`;

const facts = (pairs: readonly (readonly [string, string | undefined])[]): Table => ({
  head: ['', ''],
  rows: pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''),
});

/** What the card says, section by section: Mitchell et al. 2019 name what a reader needs. */
export function cardSections(report: ReportDocument): readonly CardSection[] {
  return [
    whatItIs(report),
    gates(report),
    metrics(report),
    slices(report),
    fairness(report),
    limits(report),
    data(report),
    parameters(report),
    provenance(report),
  ];
}

const whatItIs = ({ model, version, artifact, signature, at }: ReportDocument): CardSection => ({
  title: 'What it is',
  table: facts([
    ['Model', model],
    ['Version', version],
    ['Artifact', artifact.uri],
    ['Digest', artifact.digest],
    ['Size', `${artifact.bytes.toLocaleString('en')} bytes in ${artifact.files} files`],
    ['Inputs', signature.inputs.map(shape).join('; ')],
    ['Outputs', signature.outputs.map(shape).join('; ')],
    ['Evaluated', at],
  ]),
});

const gates = ({ gates: rows }: ReportDocument): CardSection => ({
  title: 'Gates',
  table: {
    head: ['Gate', 'Verdict', 'What was found'],
    rows: rows.map(({ name, verdict, message }) => [name, verdict, message]),
  },
  otherwise: 'The version declares no gates: only its digest was verified.',
});

const metrics = ({ metrics: rows, holdout }: ReportDocument): CardSection => ({
  title: 'Metrics',
  ...(holdout === undefined
    ? {}
    : {
        text: `On ${holdout.n.toLocaleString('en')} held-out examples (ids ${holdout.ids.slice(0, 19)}…), with 95 % intervals.`,
      }),
  table: {
    head: ['Metric', 'Value', '95 % interval', 'n', 'Interval by'],
    rows: rows.map((row) => [row.metric, shown(row.value), range(row), row.n.toLocaleString('en'), row.method]),
  },
  otherwise: 'There are no predictions to measure.',
});

const slices = ({ slices: rows }: ReportDocument): CardSection => ({
  title: 'Slices',
  ...(rows[0] === undefined
    ? {}
    : {
        text: `${rows[0].metric} of each slice, worst first. Slices of fewer than 30 predictions come last: they say little.`,
      }),
  table: {
    head: ['Slice', 'Value', '95 % interval', 'Predictions'],
    rows: rows.map((row) => [
      row.slice,
      shown(row.value),
      range(row),
      `${row.rows.toLocaleString('en')}${row.isSmall ? ' (few)' : ''}`,
    ]),
  },
  otherwise: 'The predictions have no slice columns.',
});

interface GroupFact {
  readonly group: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

const fairness = ({ gates: all }: ReportDocument): CardSection => ({
  title: 'Fairness',
  table: {
    head: ['Metric', 'Group', 'Value', '95 % interval', 'Predictions'],
    rows: all
      .filter(({ gate }) => gate.across !== undefined)
      .flatMap(({ gate, facts: found }) =>
        ((found?.['groups'] ?? []) as readonly GroupFact[]).map((group) => [
          gate.metric ?? '',
          `${gate.across} == ${group.group}`,
          shown(group.value),
          range(group),
          group.n.toLocaleString('en'),
        ]),
      ),
  },
  otherwise: 'No gate compares groups (across).',
});

const STANDING = [
  'Intervals hold for examples drawn as the held-out ones were; they say nothing of other people, places or times.',
  'Examples that come from the same person or moment are not independent, and make intervals too narrow.',
];

const limits = ({ warnings, reported }: ReportDocument): CardSection => ({
  title: 'Limits',
  table: {
    head: [''],
    rows: [
      ...warnings,
      ...(reported.length > 0 ? ['Numbers that the training reports of itself were not computed again.'] : []),
      ...STANDING,
    ].map((line) => [line]),
  },
});

const data = ({ provenance: from }: ReportDocument): CardSection => ({
  title: 'Data',
  table: {
    head: ['Data set', 'Where', 'Digest'],
    rows: (from?.datasets ?? []).map(({ name, uri, digest }) => [name, uri, digest ?? 'not recorded']),
  },
  otherwise: 'No data set is recorded.',
});

const parameters = ({ provenance: from }: ReportDocument): CardSection => ({
  title: 'Parameters',
  table: {
    head: ['Parameter', 'Value'],
    rows: Object.entries(from?.parameters ?? {}).sort(([a], [b]) => a.localeCompare(b)),
  },
  otherwise: 'No parameter is recorded.',
});

const provenance = ({ provenance: from, evaluator }: ReportDocument): CardSection => ({
  title: 'Provenance',
  table: facts([
    ['TrainingJob', from?.trainingJob],
    ['Attempt', from?.attempt?.toString()],
    ['Image', from?.image],
    ['Source', from?.source && `${from.source.repository} @ ${from.source.revision}`],
    ['Follows', from?.parent],
    ['Because', from?.trigger],
    ['Pods', from?.nodes?.toString()],
    ['Accelerators', from?.accelerator],
    ['Started', from?.startedAt],
    ['Finished', from?.finishedAt],
    ['Evaluated by', `Node ${evaluator.node} on ${evaluator.platform}, ${evaluator.cores} CPUs`],
  ]),
});
