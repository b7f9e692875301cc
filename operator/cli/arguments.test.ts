import { expect, test } from 'vitest';
import { parseCommand, USAGE } from './arguments.ts';
import { parseDuration } from './durations.ts';
import { COLUMNS } from './render/text.ts';
import { UsageError } from './usageError.ts';

const infs = { kind: 'InferenceService', name: 'flights' };

test.each([
  [['status', 'infs/flights'], { verb: 'status', target: infs }],
  [
    ['watch', 'inferenceservices.slipway.dev/flights', '-n', 'demo'],
    { verb: 'watch', target: infs, namespace: 'demo' },
  ],
  [['explain', 'mv/flights-1.0.0'], { verb: 'explain', target: { kind: 'ModelVersion', name: 'flights-1.0.0' } }],
  [['approve', 'infs/flights', '--kubeconfig', 'f'], { verb: 'approve', kubeconfig: 'f' }],
  [['retry', 'infs/flights', '--revision=77aa0'], { verb: 'retry', revision: '77aa0' }],
  [
    ['wait', 'infs/flights', '--for=RolledBack', '--timeout=1m30s'],
    { verb: 'wait', goal: 'RolledBack', timeoutSeconds: 90 },
  ],
  [['wait', 'tj/a', '--for=Succeeded'], { verb: 'wait', goal: 'Succeeded', timeoutSeconds: 300 }],
  [['card', 'mv/a-1.0.0', '--html'], { verb: 'card', format: 'html' }],
  [['verify', 'mv/a-1.0.0', '--timeout=90s'], { verb: 'verify', timeoutSeconds: 90 }],
  [['archive', 'mv/a-1.0.0'], { verb: 'setStage', stage: 'Archived' }],
  [['promote', 'mv/a-1.0.0', '--stage=production'], { verb: 'setStage', stage: 'Production' }],
  [['promote', 'infs/flights'], { verb: 'promote', target: infs }],
  [['approve', 'mv/a-1.0.0'], { verb: 'approveVersion', stage: undefined }],
  [['lineage', 'infs/flights'], { verb: 'lineage', target: infs }],
  [['history', 'mv/a-1.0.0'], { verb: 'history' }],
  [[], { verb: 'help' }],
  [['--help'], { verb: 'help' }],
  [['--version'], { verb: 'version' }],
  [['status', 'infs/flights', '--context=prod'], { verb: 'status', context: 'prod' }],
])('%j is a command', (argv, want) => expect(parseCommand(argv)).toMatchObject(want));

test.each([
  [
    ['stauts', 'infs/x'],
    '"stauts" is no command: write one of abort, approve, archive, card, explain, history, lineage, pause, plan, promote, rate, rehearse, resume, retry, rollback, status, verify, wait, watch',
  ],
  [['status'], 'status needs an object: write kubectl slipway status infs/flights'],
  [
    ['status', 'flights'],
    '"flights" is no object: write KIND/NAME with kind infs, mv or tj, as in kubectl slipway status infs/flights',
  ],
  [
    ['status', 'pod/x'],
    '"pod/x" is no object: write KIND/NAME with kind infs, mv or tj, as in kubectl slipway status infs/flights',
  ],
  [
    ['status', 'infs/a', 'infs/b'],
    'status takes one object, so "infs/b" is too many: write kubectl slipway status infs/flights',
  ],
  [
    ['approve', 'tj/a'],
    'approve works on an InferenceService or a ModelVersion, not on a TrainingJob: write kubectl slipway approve infs/flights',
  ],
  [
    ['card', 'infs/a'],
    'card works on a ModelVersion, not on an InferenceService: write kubectl slipway card mv/flights-1.0.0',
  ],
  [
    ['pause', 'mv/a-1.0.0'],
    'pause works on an InferenceService, not on a ModelVersion: write kubectl slipway pause infs/flights',
  ],
  [
    ['promote', 'mv/a-1.0.0'],
    'promote of a version needs a stage: write kubectl slipway promote mv/a-1.0.0 --stage=Production',
  ],
  [
    ['promote', 'mv/a-1.0.0', '--stage=prod'],
    '"prod" is no stage: write --stage= one of Candidate, Staging, Production, Archived, as in kubectl slipway promote mv/a-1.0.0 --stage=Production',
  ],
  [
    ['approve', 'mv/a-1.0.0', '--stage=Archived'],
    '"Archived" is no stage: write --stage= one of Staging, Production, as in kubectl slipway approve mv/a-1.0.0 --stage=Production',
  ],
  [['card', 'mv/a-1.0.0', '--md', '--html'], 'card is written once: give --html or --md, not both'],
  [['wait', 'infs/a'], 'wait needs a goal: write --for= one of Ready, RolloutComplete, RolledBack'],
  [['wait', 'tj/a', '--for=Ready'], 'TrainingJob has no goal "Ready": write --for= one of Succeeded'],
  [['wait', 'mv/a', '--for=Ready', '--timeout=soon'], '"soon" is no duration: write --timeout=90s or --timeout=5m'],
  [
    ['status', 'infs/a', '-o', 'yaml'],
    'status does not read --output: it reads --namespace, --kubeconfig, --context; kubectl get -o json has every field.',
  ],
  [
    ['wait', 'infs/a', '--rps=5'],
    'wait does not read --rps: it reads --for, --timeout, --namespace, --kubeconfig, --context.',
  ],
  [
    ['promote', 'infs/a', '--stage=Production'],
    '--stage is of a ModelVersion: write kubectl slipway promote mv/NAME --stage=Production',
  ],
  [['status', 'infs/a', '--colour'], "Unknown option '--colour': run kubectl slipway --help to see the flags."],
])('%j is refused with what to write instead', (argv, message) => {
  expect(() => parseCommand(argv)).toThrow(new UsageError(message));
});

test.each([
  ['90s', 90],
  ['1h30m', 5400],
  ['5', undefined],
  ['', undefined],
])('%j is %s seconds', (text, want) => expect(parseDuration(text)).toBe(want));

test('the usage fits a terminal', () => {
  expect(USAGE.split('\n').filter((line) => line.length > COLUMNS)).toEqual([]);
});
