import { redacted } from '@slipway/crds';
import type { ModelVersion } from '../../src/api/kinds.ts';

/** A part of a model card. Words of others: what renders them escapes them. */
export interface Section {
  readonly title: string;
  readonly text?: string;
  readonly rows?: readonly (readonly [string, string])[];
  readonly table?: { readonly head: readonly string[]; readonly body: readonly (readonly string[])[] };
}

type Row = readonly [string, string | undefined];
const rowsOf = (...all: readonly Row[]): (readonly [string, string])[] =>
  all.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value] as const]));

const list = (names: readonly string[] | undefined, prefix: string): string =>
  (names ?? []).map((name) => `${prefix}${name}`).join(', ');

const tensors = (all: readonly { name: string; datatype: string; shape: readonly number[] }[] | undefined): string =>
  (all ?? []).map(({ name, datatype, shape }) => `${name} ${datatype}[${shape.join(', ')}]`).join('; ');

function identity({ spec, status = {} }: ModelVersion): Section {
  const { files, bytes, signature } = status;
  return {
    title: 'Model',
    rows: rowsOf(
      ['model', spec.model],
      ['version', spec.version],
      ['stage', `${status.stage ?? 'none yet'}${status.current === true ? ', current' : ''}`],
      ['artifact', spec.artifact.uri],
      ['digest', spec.artifact.digest],
      ['format', spec.artifact.format],
      ['size', bytes === undefined ? undefined : `${bytes} bytes in ${files ?? 0} files`],
      ['inputs', tensors(signature?.inputs)],
      ['outputs', tensors(signature?.outputs)],
      ['served by', list(status.servedBy, 'infs/')],
      ['rolled back by', list(status.rejectedBy, 'infs/')],
      ['files deleted', status.deletedAt],
    ),
  };
}

function gates({ status, spec }: ModelVersion): Section {
  const judged = status?.gates ?? [];
  if (judged.length === 0) {
    const text = (spec.gates ?? []).length === 0 ? 'No gates are declared.' : 'No gate is judged yet.';
    return { title: 'Gates', text };
  }
  const compared = status?.conditions?.find(({ type }) => type === 'GatesPassed')?.message;
  return {
    title: 'Gates',
    ...(compared === undefined ? {} : { text: compared }),
    table: {
      head: ['gate', 'verdict', 'value', '95 % interval', 'limit', 'n', 'in words'],
      body: judged.map((g) => [g.name, g.verdict, g.value, `${g.low} to ${g.high}`, g.limit, String(g.n), g.message]),
    },
  };
}

function provenance({ spec }: ModelVersion): Section {
  if (spec.provenance === undefined) return { title: 'Provenance', text: 'Nobody wrote down where it comes from.' };
  // A card is mailed: what looks like a password stays in the object.
  const p = redacted(spec.provenance);
  return {
    title: 'Provenance',
    rows: rowsOf(
      ['training job', p.trainingJob],
      ['because', p.trigger],
      ['follows', p.parent],
      ['image', p.image],
      ['source', p.source === undefined ? undefined : `${p.source.repository}@${p.source.revision}`],
      ['accelerator', p.accelerator],
      ['pods', p.nodes === undefined ? undefined : String(p.nodes)],
      ['time', p.startedAt === undefined ? undefined : `${p.startedAt} to ${p.finishedAt ?? '?'}`],
      ...(p.datasets ?? []).map(({ name, uri, digest }): Row => [`data set ${name}`, `${uri} ${digest ?? ''}`.trim()]),
      ...Object.entries(p.parameters ?? {}).map(([name, value]): Row => [`parameter ${name}`, value]),
    ),
  };
}

function people({ spec, status }: ModelVersion): Section[] {
  const approvals = (spec.approvals ?? []).map((a) => [a.stage, a.by, a.at, a.comment ?? '']);
  const history = (status?.history ?? []).map((h) => [h.at, h.from, h.to, h.by ?? '', h.message]);
  return [
    ...(approvals.length === 0
      ? []
      : [{ title: 'Approvals', table: { head: ['stage', 'by', 'at', 'comment'], body: approvals } }]),
    ...(history.length === 0
      ? []
      : [{ title: 'Stages', table: { head: ['at', 'from', 'to', 'by', 'why'], body: history } }]),
  ];
}

/** This is what the object itself says; plots, slices and the bill of materials are in the reports of the store. */
function whole({ status }: ModelVersion): Section {
  const { reports } = status ?? {};
  const text =
    reports === undefined
      ? 'This card is made from the ModelVersion; its verification left no reports in a store.'
      : `This card is made from the ModelVersion. The whole one, with plots, is card.html in ${reports.uri} (report.json: ${reports.digest}).`;
  return { title: 'More', text };
}

/** The model card of a version, from its own spec and status: readable without its store. */
export const cardOf = (version: ModelVersion): readonly Section[] => [
  identity(version),
  gates(version),
  provenance(version),
  ...people(version),
  whole(version),
];
