import type { ReportDocument } from './document.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://slsa.dev/provenance/v1';
export const BUILD_TYPE = 'https://slipway.dev/training/v1';
const BUILDER = 'https://slipway.dev/operator';

interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** Lower-case hex of a digest such as sha256:<hex>. */
const digestSet = (digest: string): Readonly<Record<string, string>> => {
  const [algorithm = 'sha256', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
};

/**
 * How the version came about, as an in-toto Statement v1 with the SLSA provenance v1 predicate (slsa.dev/spec/v1.0). The
 * operator is the builder and the only author: nothing in it comes from the training container but what the operator
 * saw of it. `reportDigest` names the report that was written beside it.
 */
export function provenanceStatement(report: ReportDocument, reportDigest: string): object {
  const { name, model, version, artifact, provenance = {} } = report;
  const { trainingJob, trainingJobUid, attempt, parameters, parent, trigger, nodes, accelerator } = provenance;
  return {
    _type: STATEMENT,
    subject: [{ name, digest: digestSet(artifact.digest) }],
    predicateType: PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: defined({ model, version, trainingJob, parameters, parent, trigger }),
        internalParameters: defined({ attempt, nodes, accelerator }),
        resolvedDependencies: dependencies(provenance),
      },
      runDetails: {
        builder: { id: BUILDER },
        metadata: defined({
          invocationId: trainingJobUid === undefined ? undefined : `${trainingJobUid}/${attempt ?? 0}`,
          startedOn: provenance.startedAt,
          finishedOn: provenance.finishedAt,
        }),
        byproducts: [{ name: 'report.json', digest: digestSet(reportDigest) }],
      },
    },
  };
}

function dependencies({
  image,
  source,
  datasets = [],
  parent,
}: NonNullable<ReportDocument['provenance']>): ResourceDescriptor[] {
  const imageDigest = image?.match(/@(sha256:[0-9a-f]{64})$/)?.[1];
  return [
    ...(image === undefined
      ? []
      : [{ name: 'image', uri: image, ...(imageDigest ? { digest: digestSet(imageDigest) } : {}) }]),
    ...(source === undefined
      ? []
      : [{ name: 'source', uri: `git+${source.repository}@${source.revision}`, ...commitDigest(source.revision) }]),
    ...datasets.map((one) => ({
      name: `dataset/${one.name}`,
      uri: one.uri,
      ...(one.digest === undefined ? {} : { digest: digestSet(one.digest) }),
    })),
    ...(parent === undefined ? [] : [{ name: 'parent', uri: `slipway:modelversion/${parent}` }]),
  ];
}

/** A branch or tag moves; only a commit is a digest. */
const commitDigest = (revision: string) =>
  /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(revision) ? { digest: { gitCommit: revision } } : {};

const defined = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
