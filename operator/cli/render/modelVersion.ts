import type { ModelVersionStatus } from '@slipway/crds';
import type { ModelVersion } from '../../src/api/kinds.ts';
import { conditionLines } from './conditions.ts';
import { field, table } from './text.ts';

type Signature = NonNullable<ModelVersionStatus['signature']>;

const tensors = (list: Signature['inputs']): string =>
  list.map(({ name, datatype, shape }) => `${name} ${datatype}[${shape.join(', ')}]`).join('; ');

/** Each gate with its interval; empty: none was judged. */
export function gateLines({ gates }: ModelVersionStatus): string[] {
  if (gates === undefined || gates.length === 0) return [];
  const header = ['GATE', 'VERDICT', 'VALUE', '[LOW, HIGH]', 'LIMIT', 'N'];
  const rows = gates.map((g) => [g.name, g.verdict, g.value, `[${g.low}, ${g.high}]`, g.limit, String(g.n)]);
  return table([header, ...rows], 2);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;

const stageText = ({ spec, status }: ModelVersion): string | undefined => {
  if (status?.stage === undefined) return undefined;
  const asked = spec.stage === undefined || spec.stage === status.stage ? '' : `, asked to be in ${spec.stage}`;
  return `${status.stage}${status.current === true ? ', current' : ''}${asked}`;
};

const approvalText = ({ spec }: ModelVersion): string =>
  (spec.approvals ?? []).map(({ stage, by }) => `${stage} by ${by}`).join(', ');

/** What a version is, where it comes from and whether it may serve. Lines of at most 80 columns. */
export function renderModelVersion(version: ModelVersion): string[] {
  const { metadata, spec, status = {} } = version;
  const { artifact, provenance } = spec;
  const { files, bytes, signature, servedBy = [], rejectedBy = [] } = status;
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['model', `${spec.model} ${spec.version}`],
    ['stage', stageText(version)],
    ['approved', approvalText(version)],
    ['artifact', artifact.uri],
    ['digest', artifact.digest],
    ['size', bytes === undefined ? undefined : `${megabytes(bytes)} in ${files ?? 0} files`],
    ['made by', provenance?.trainingJob === undefined ? undefined : `tj/${provenance.trainingJob}`],
    ['reports', status.reports?.uri],
    ['files gone', status.deletedAt],
    ['inputs', signature === undefined ? undefined : tensors(signature.inputs)],
    ['outputs', signature === undefined ? undefined : tensors(signature.outputs)],
    ['served by', servedBy.map((name) => `infs/${name}`).join(', ')],
    ['rejected', rejectedBy.map((name) => `infs/${name}`).join(', ')],
  ];
  return [
    `ModelVersion ${metadata.namespace}/${metadata.name}`,
    ...fields.flatMap(([label, text]) => (text === undefined || text === '' ? [] : field(label, text))),
    ...gateLines(status),
    ...conditionLines(status.conditions),
  ];
}
