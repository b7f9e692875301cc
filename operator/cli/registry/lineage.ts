import type { InferenceService, ModelVersion, TrainingJob } from '../../src/api/kinds.ts';
import { approversOf, joined } from '../../src/domain/registry/approvals.ts';
import { GUARDED } from '../../src/domain/registry/facts.ts';
import { COLUMNS, wrap } from '../render/text.ts';

/** One thing that another comes from, or is served by. */
export interface Branch {
  readonly text: string;
  readonly from: readonly Branch[];
}
const leaf = (text: string): Branch => ({ text, from: [] });
const given = (text: string | undefined | false): Branch[] =>
  text === undefined || text === false ? [] : [leaf(text)];

/** What is known in the namespace; whatever is gone is undefined. */
export interface Known {
  readonly version: (name: string) => ModelVersion | undefined;
  readonly trainingJob: (name: string) => TrainingJob | undefined;
}

/** Parents of parents, and no further: a line of descent has no end in principle, and may have been written as a ring. */
const DEEPEST = 8;

function training({ spec }: ModelVersion, known: Known): Branch[] {
  const { trainingJob, attempt, startedAt, finishedAt, image, source, datasets = [], trigger } = spec.provenance ?? {};
  const of: Branch[] = [
    ...given(trigger !== undefined && `because: ${trigger}`),
    ...given(image !== undefined && `image ${image}`),
    ...given(source !== undefined && `source ${source.repository}@${source.revision}`),
    ...datasets.map(({ name, uri, digest }) => leaf(`data set ${name}: ${uri} ${digest ?? '(digest not recorded)'}`)),
  ];
  if (trainingJob === undefined) return of.length === 0 ? [leaf('made by no TrainingJob')] : of;
  const gone = known.trainingJob(trainingJob) === undefined ? ', no longer there' : '';
  const tried = attempt === undefined ? '' : `, attempt ${attempt}`;
  const when = startedAt === undefined || finishedAt === undefined ? '' : `, ${startedAt} to ${finishedAt}`;
  return [{ text: `tj/${trainingJob}${tried}${when}${gone}`, from: of }];
}

const approvals = ({ spec }: ModelVersion): Branch[] =>
  GUARDED.flatMap((stage) => {
    const people = approversOf({ approvals: spec.approvals ?? [], digest: spec.artifact.digest }, stage);
    return people.length === 0 ? [] : [leaf(`approved for ${stage} by ${joined(people)}`)];
  });

function gates({ status }: ModelVersion): Branch[] {
  const judged = status?.gates ?? [];
  return judged.length === 0
    ? []
    : [leaf(`gates: ${judged.map(({ name, verdict }) => `${name} ${verdict}`).join(', ')}`)];
}

const standing = ({ spec, status }: ModelVersion): string =>
  [
    status?.stage ?? spec.stage ?? 'Candidate',
    ...(status?.current === true ? ['current'] : []),
    ...(status?.deletedAt === undefined ? [] : [`files deleted at ${status.deletedAt}`]),
  ].join(', ');

function versionBranch(version: ModelVersion, known: Known, seen: readonly string[]): Branch {
  const { metadata, spec } = version;
  const { parent } = spec.provenance ?? {};
  const path = [...seen, metadata.name];
  return {
    text: `mv/${metadata.name} (${standing(version)}) ${spec.artifact.digest}`,
    from: [
      ...approvals(version),
      ...gates(version),
      ...training(version, known),
      ...(parent === undefined ? [] : [parentBranch(parent, known, path)]),
    ],
  };
}

function parentBranch(name: string, known: Known, path: readonly string[]): Branch {
  if (path.includes(name) || path.length >= DEEPEST) return leaf(`after mv/${name}, and so on`);
  const found = known.version(name);
  if (found === undefined) return leaf(`after mv/${name}, no longer there`);
  const branch = versionBranch(found, known, path);
  return { ...branch, text: `after ${branch.text}` };
}

/** Where a version comes from, and who serves it. */
export const versionLineage = (version: ModelVersion, known: Known): Branch => {
  const { servedBy = [], rejectedBy = [] } = version.status ?? {};
  const branch = versionBranch(version, known, []);
  const served = servedBy.map((name) => leaf(`served by infs/${name}`));
  const rejected = rejectedBy.map((name) => leaf(`rolled back by infs/${name}`));
  return { ...branch, from: [...served, ...rejected, ...branch.from] };
};

/** What a service serves, and where that comes from. */
export function serviceLineage({ metadata, spec, status }: InferenceService, known: Known): Branch {
  const { stable, candidate, previous } = status ?? {};
  const roles = Object.entries({ stable, candidate, previous });
  const from = roles.flatMap(([role, of]) => {
    if (of === undefined) return [];
    const name = `${spec.model.name}-${of.version}`;
    const version = known.version(name);
    if (version === undefined) return [leaf(`${role}: mv/${name}, no longer there`)];
    const branch = versionBranch(version, known, []);
    return [{ ...branch, text: `${role}: ${branch.text}` }];
  });
  const follows = spec.model.follow === undefined ? '' : `, follows ${spec.model.follow}`;
  return { text: `infs/${metadata.name} (${spec.model.name}${follows})`, from };
}

/** The tree as lines of at most 80 columns; what is too long goes on under itself. */
export function treeLines({ text, from }: Branch, first = '', rest = ''): string[] {
  const own = wrap(text, COLUMNS - first.length);
  const stem = from.length === 0 ? '  ' : '| ';
  const lines = own.map((line, i) => (i === 0 ? first : rest + stem) + line);
  const children = from.flatMap((child, i) => {
    const last = i === from.length - 1;
    return treeLines(child, `${rest}${last ? '`- ' : '|- '}`, `${rest}${last ? '   ' : '|  '}`);
  });
  return [...lines, ...children];
}
