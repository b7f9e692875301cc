import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InferenceService, ModelVersion, TrainingJob } from '../../src/api/kinds.ts';
import { historyWith } from '../../src/domain/registry/history.ts';
import { COLUMNS } from '../render/text.ts';
import { gated, NOON, shifting, training } from '../samples.ts';
import { cardOf } from './card.ts';
import { cardLines } from './cardFormats.ts';
import { historyLines } from './history.ts';
import { type Known, serviceLineage, treeLines, versionLineage } from './lineage.ts';
import { stageRequest, verifyRequest, versionApprovalRequest } from './requests.ts';
import { verdictOn } from './verify.ts';

const DIGEST = gated.spec.artifact.digest;
const at = (second: number): Date => new Date(NOON.getTime() + second * 1000);
const promoted = {
  from: 'Candidate',
  to: 'Production',
  reason: 'Promoted',
  by: 'alice, bob',
  message: 'All 1 gates pass.',
};
const history = historyWith(
  historyWith([], { from: '', to: 'Candidate', reason: 'Registered', message: 'flights-1.0.0 was registered.' }, at(0)),
  promoted,
  at(60),
);
const version = (
  spec: Partial<ModelVersion['spec']> = {},
  status: Partial<ModelVersion['status']> = {},
): ModelVersion => ({
  ...gated,
  metadata: { ...gated.metadata, resourceVersion: '7' },
  spec: {
    ...gated.spec,
    provenance: {
      trainingJob: 'flights-v1',
      attempt: 1,
      image: 'registry/train@sha256:cafe',
      source: { repository: 'https://git.example.com/flights', revision: 'abc123' },
      datasets: [{ name: 'train', uri: 's3://data/2025', digest: DIGEST }],
      parameters: { epochs: '5' },
      parent: 'flights-0.9.0',
    },
    ...spec,
  },
  status: { ...gated.status, ...status } as NonNullable<ModelVersion['status']>,
});
const ana = { by: 'ana', at: NOON };
const approval = (by: string) => ({ by, stage: 'Production' as const, digest: DIGEST, at: '2026-03-01T12:00:00Z' });

describe('promote of a version', () => {
  test('asks for the stage and says what is owed for it', () => {
    expect(stageRequest(version({ approval: 'Required' }), 'Production')).toEqual({
      kind: 'patch',
      patch: { spec: { stage: 'Production' } },
      done: 'mv/flights-1.0.0 is asked to be in Production. flights-1.0.0 needs the approval of a person for Production: kubectl slipway approve mv/flights-1.0.0 --stage=Production',
    });
  });
  test('says why it is not where it was asked to be already', () => {
    const message = 'Candidate, not Production yet. Gates not passed.';
    const lacking = {
      type: 'StageReached',
      status: 'False' as const,
      reason: 'GateFailed',
      message,
      observedGeneration: 1,
      lastTransitionTime: '',
    };
    expect(stageRequest(version({ stage: 'Production' }, { conditions: [lacking] }), 'Production')).toEqual({
      kind: 'refused',
      why: `mv/flights-1.0.0 is asked to be in Production already. ${message}`,
    });
  });
  test('is refused where the files are gone', () => {
    expect(stageRequest(version({}, { deletedAt: '2026-01-01T00:00:00Z' }), 'Staging')).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('train it anew'),
    });
  });
  test('archive says who goes on serving it', () => {
    expect(stageRequest(version(), 'Archived')).toMatchObject({
      patch: { spec: { stage: 'Archived' } },
      done: 'mv/flights-1.0.0 is asked to be in Archived. infs/flights goes on serving it.',
    });
  });
});

describe('approve of a version', () => {
  test('names stage, digest and person, keeps what others approved, and says who is still to', () => {
    const asked = version({ stage: 'Production', approval: 'TwoPeople' });
    expect(versionApprovalRequest(asked, undefined, ana)).toMatchObject({
      patch: { metadata: { resourceVersion: '7' }, spec: { approvals: [approval('ana')] } },
      done: expect.stringContaining(
        'needs the approvals of two people for Production and has that of ana; somebody else writes',
      ),
    });
    const second = version({ stage: 'Production', approval: 'TwoPeople', approvals: [approval('ben')] });
    expect(versionApprovalRequest(second, 'Production', ana)).toMatchObject({
      patch: { spec: { approvals: [approval('ben'), approval('ana')] } },
      done: 'Approved mv/flights-1.0.0 for Production as ana.',
    });
  });
  test('is refused to the same person twice, and where no stage is asked for', () => {
    const own = version({ stage: 'Production', approval: 'TwoPeople', approvals: [approval('ana')] });
    expect(versionApprovalRequest(own, undefined, ana)).toEqual({
      kind: 'refused',
      why: 'ana approved mv/flights-1.0.0 for Production already. Two people are two names: somebody else writes this.',
    });
    expect(versionApprovalRequest(version(), undefined, ana)).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('kubectl slipway approve mv/flights-1.0.0 --stage=Production'),
    });
  });
  test('says when nobody asked for that stage yet', () => {
    expect(versionApprovalRequest(version({ approval: 'Required' }), 'Production', ana)).toMatchObject({
      done: expect.stringContaining('kubectl slipway promote mv/flights-1.0.0 --stage=Production'),
    });
  });
});

describe('verify', () => {
  const truth = (type: string, status: 'True' | 'False', message: string) => ({
    type,
    status,
    reason: 'R',
    message,
    observedGeneration: 1,
    lastTransitionTime: '',
  });
  const conditions = [
    truth('Verified', 'True', 'The files hash to it.'),
    truth('GatesPassed', 'True', 'All 1 gates pass.'),
  ];
  test('asks by a value of its own, and is not answered by an earlier verification', () => {
    expect(verifyRequest(version(), 'now')).toMatchObject({
      patch: { metadata: { annotations: { 'slipway.dev/verify': 'now' } } },
    });
    expect(verdictOn(version({}, { conditions, verifiedFor: 'before' }), 'now')).toBeUndefined();
  });
  test('shows the gates as a table, and whether all pass', () => {
    const verdict = verdictOn(version({}, { conditions, verifiedFor: 'now' }), 'now');
    expect(verdict?.passed).toBe(true);
    expect(verdict?.lines.join('\n')).toMatchInlineSnapshot(`
      "ModelVersion demo/flights-1.0.0
        GATE      VERDICT  VALUE   [LOW, HIGH]       LIMIT  N
        accuracy  Pass     0.8123  [0.8011, 0.8230]  0.75   4000
        The files hash to it.
        All 1 gates pass."
    `);
  });
  test('tells of files that are not what they should be, and shows no gate of theirs', () => {
    const bad = [truth('Verified', 'False', 'The files hash to another.')];
    const verdict = verdictOn(version({}, { conditions: bad, verifiedFor: 'now' }), 'now');
    expect(verdict).toMatchObject({ passed: false, lines: [expect.anything(), '  The files hash to another.'] });
  });
  test('is refused where there is nothing to verify', () => {
    expect(verifyRequest(version({}, { deletedAt: 'then' }), 'now')).toMatchObject({ kind: 'refused' });
  });
});

describe('history', () => {
  test('shows who let it through, and that nobody changed the record', () => {
    expect(historyLines(version({}, { history })).join('\n')).toMatchInlineSnapshot(`
      "ModelVersion demo/flights-1.0.0
        2026-03-01T12:00:00Z  - -> Candidate           Registered: flights-1.0.0 was
                                                       registered.
        2026-03-01T12:01:00Z  Candidate -> Production  Promoted by alice, bob: All 1
                                                       gates pass.
        The 2 entries hold together (all there were), up to 3637de963239."
    `);
  });
  test('mlflow#2169: shows that the record was changed', () => {
    const forged = history.map((entry, i) => (i === 1 ? { ...entry, by: 'mallory' } : entry));
    expect(historyLines(version({}, { history: forged })).join(' ')).toContain(
      'The record was changed after it was written',
    );
  });
  test('of a service is told the same way', () => {
    expect(historyLines(shifting).join(' ')).toContain('GuardsPassed');
  });
});

const known = (versions: readonly ModelVersion[] = [], runs: readonly TrainingJob[] = []): Known => ({
  version: (name) => versions.find(({ metadata }) => metadata.name === name),
  trainingJob: (name) => runs.find(({ metadata }) => metadata.name === name),
});
const parent: ModelVersion = {
  ...version({ version: '0.9.0', provenance: { parent: 'flights-1.0.0' } }),
  metadata: { ...gated.metadata, name: 'flights-0.9.0' },
};

describe('lineage', () => {
  const child = version({ approvals: [approval('ana')] }, { stage: 'Production', current: true });
  test('leads from a version to run, image, source, data, approvals and parents, and to who serves it', () => {
    expect(treeLines(versionLineage(child, known([child, parent], [training]))).join('\n')).toMatchInlineSnapshot(`
      "mv/flights-1.0.0 (Production, current)
      | sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      |- served by infs/flights
      |- approved for Production by ana
      |- gates: accuracy Pass
      |- tj/flights-v1, attempt 1
      |  |- image registry/train@sha256:cafe
      |  |- source https://git.example.com/flights@abc123
      |  \`- data set train: s3://data/2025
      |       sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      \`- after mv/flights-0.9.0 (Candidate)
         | sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
         |- gates: accuracy Pass
         |- made by no TrainingJob
         \`- after mv/flights-1.0.0, and so on"
    `);
  });
  test('leads from a service to the versions it has', () => {
    const lines = treeLines(serviceLineage(shifting as InferenceService, known([child])));
    expect(lines[0]).toBe('infs/flights (flights)');
    expect(lines.join(' ')).toContain('stable: mv/flights-1.0.0 (Production, current)');
    expect(lines.join(' ')).toContain('candidate: mv/flights-1.1.0, no longer there');
  });
  test('says what is gone, and ends where versions follow each other in a ring', () => {
    const lines = treeLines(versionLineage(child, known([child, parent]))).join(' ');
    expect(lines).toContain('tj/flights-v1, attempt 1, no longer there');
    expect(lines).toContain('after mv/flights-1.0.0, and so on');
  });
});

const hostile = version({
  provenance: { trainingJob: '<script>alert(1)</script>', parameters: { '|x|': '`rm` [a](http://b)\n## Not a title' } },
});
const whole = version(
  { approvals: [approval('ana')] },
  { history, reports: { uri: 's3://models/flights/x.reports', digest: DIGEST } },
);

describe('card', () => {
  test('fits a terminal, with all of digest, gates, provenance and people', () => {
    const lines = cardLines('demo/flights-1.0.0', cardOf(whole), 'text');
    expect(lines.filter((line) => line.length > COLUMNS)).toEqual([]);
    const text = lines.join(' ').replace(/\s+/g, ' ');
    for (const part of [
      'PROVENANCE',
      'flights-v1',
      'accuracy',
      '0.8011 to 0.8230',
      's3://data/2025',
      'ana',
      'epochs',
    ]) {
      expect(text).toContain(part);
    }
  });
  test('says where the whole one is, or that there is none', () => {
    const text = (one: ModelVersion) => cardLines('n', cardOf(one), 'text').join(' ').replace(/\s+/g, ' ');
    expect(text(whole)).toContain('is card.html in s3://models/flights/x.reports');
    expect(text(version())).toContain('its verification left no reports in a store');
  });
  test.each(['text', 'md', 'html'] as const)(
    'as %s shows no value of a parameter that looks secret, nor passwords in addresses',
    (format) => {
      const secret = version({
        provenance: {
          parameters: { HF_TOKEN: 'hf_abc', tracker: 'https://bob:hunter2@mlflow.example.com', epochs: '5' },
          source: { repository: 'https://bob:hunter2@git.example.com/flights', revision: 'a1' },
        },
      });
      const text = cardLines('n', cardOf(secret), format).join('\n');
      expect(text).not.toMatch(/hf_abc|hunter2/);
      expect(text).toContain('redacted');
      expect(text).toContain('epochs');
    },
  );
  test('as a page runs nothing of what others wrote', () => {
    const page = cardLines('n', cardOf(hostile), 'html').join('\n');
    expect(page).not.toContain('<script>');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page.startsWith('<!doctype html>')).toBe(true);
  });
  test('as Markdown keeps its tables whatever others wrote', () => {
    const lines = cardLines('n', cardOf(hostile), 'md');
    expect(lines).toContain('| parameter \\|x\\| | \\`rm\\` \\[a\\](http://b) ## Not a title |');
    expect(lines.some((line) => line.startsWith('## Not'))).toBe(false);
  });
});

test('no tree and no history is wider than a terminal', () => {
  const names = fc.string({ minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(names, names, (a, b) => {
      const wide = version(
        { provenance: { trainingJob: a, image: b, parent: a } },
        { history: historyWith([], { ...promoted, by: a, message: b }, NOON) },
      );
      const lines = [
        ...treeLines(versionLineage(wide, known([wide]))),
        ...historyLines(wide),
        ...cardLines('n', cardOf(wide), 'text'),
      ];
      expect(lines.filter((line) => line.length > COLUMNS)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
