import { createHash } from 'node:crypto';
import { type ManifestEntry, redacted } from '@slipway/crds';
import { FILES, type Prediction, type Signature, type VerificationReport } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { putReports } from '../../artifact/stores/putReports.ts';
import type { Judged } from '../gates/judge.ts';
import { randomFromDigest } from '../random.ts';
import { readReported } from '../reported/reported.ts';
import type { Rivals } from '../rivals.ts';
import type { Verification } from '../verify.ts';
import { billOfMaterials } from './bom.ts';
import { modelCard } from './card.ts';
import { describePredictions, evaluatorFacts, gateRows } from './describe.ts';
import { REPORT_SCHEMA, type ReportDocument } from './document.ts';
import { holdoutOf, reuseWarning } from './holdout.ts';
import { cardPage } from './page.ts';
import { provenanceStatement } from './provenance.ts';

/** What a verification has found out by the time that it writes it down. */
export interface Findings {
  readonly dir: string;
  readonly digest: string;
  readonly files: number;
  readonly bytes: number;
  readonly entries: readonly ManifestEntry[];
  readonly signature: Signature;
  readonly judged: readonly Judged[];
  readonly predictions: () => Promise<readonly Prediction[]>;
  readonly rivals: Rivals;
}

type Left = Pick<VerificationReport, 'reports' | 'reportsSkipped'>;

const LONGEST = 256;

/** Puts report, card, bill of materials and provenance beside the artifact. A store that takes none is said, and is no failure. */
export async function leaveReports(order: Verification, findings: Findings): Promise<Left> {
  const { artifact, spec, context } = order;
  if (spec === undefined || 'dir' in artifact) return {};
  const document = await documentOf(order, findings);
  try {
    const reports = await putReports(artifact, document.name, filesOf(document), context);
    context.say(`left the reports in ${reports.uri}`);
    return { reports };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.say(`no reports: ${error.message}`);
    return { reportsSkipped: error.message.slice(0, LONGEST) };
  }
}

/** The files of a report. The statement of provenance names the report by its digest. */
export function filesOf(document: ReportDocument): Readonly<Record<string, string>> {
  const report = json(document);
  const digest = `sha256:${createHash('sha256').update(report).digest('hex')}`;
  return {
    [FILES.report]: report,
    [FILES.card]: modelCard(document),
    [FILES.cardPage]: cardPage(document),
    [FILES.bom]: json(billOfMaterials(document)),
    [FILES.provenance]: json(provenanceStatement(document, digest)),
  };
}

const json = (document: object): string => `${JSON.stringify(document, undefined, 2)}\n`;

export async function documentOf(
  { artifact, spec, context }: Pick<Verification, 'artifact' | 'spec' | 'context'>,
  findings: Findings,
): Promise<ReportDocument> {
  const { digest, files, bytes, entries, signature, judged } = findings;
  const [model, version] = [spec?.model ?? 'model', spec?.version ?? '0.0.0'];
  const { holdout, description, warnings } = await heldOut(findings);
  return {
    schema: REPORT_SCHEMA,
    name: `${model}-${version}`,
    model,
    version,
    artifact: { uri: 'uri' in artifact ? artifact.uri : artifact.dir, digest, files, bytes },
    entries,
    at: new Date(context.now()).toISOString(),
    evaluator: await evaluatorFacts(),
    signature,
    ...(holdout === undefined ? {} : { holdout }),
    gates: gateRows(judged),
    metrics: description?.metrics ?? [],
    slices: description?.slices ?? [],
    reported: await readReported(findings.dir),
    ...(description === undefined ? {} : { picture: description.picture }),
    warnings,
    ...(spec?.provenance === undefined ? {} : { provenance: redacted(spec.provenance) }),
  };
}

async function heldOut({ predictions, judged, digest, rivals }: Findings) {
  try {
    const all = await predictions();
    const holdout = await holdoutOf(all, await rivals.opened());
    const warning = reuseWarning(holdout);
    const description = describePredictions(all, judged, () => randomFromDigest(digest));
    return { holdout, description, warnings: warning === undefined ? [] : [warning] };
  } catch (error) {
    // A version without gates needs no predictions; its card says that there are none.
    if (!(error instanceof Failure)) throw error;
    return { holdout: undefined, description: undefined, warnings: [error.message] };
  }
}
