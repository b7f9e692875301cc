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
  [[], { verb: 'help' }],
  [['--help'], { verb: 'help' }],
])('%j is a command', (argv, want) => expect(parseCommand(argv)).toMatchObject(want));

test.each([
  [
    ['stauts', 'infs/x'],
    '"stauts" is no command: write one of abort, approve, explain, pause, plan, promote, rate, rehearse, resume, retry, rollback, status, wait, watch',
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
    'approve works on an InferenceService, not on a TrainingJob: write kubectl slipway approve infs/flights',
  ],
  [['wait', 'infs/a'], 'wait needs a goal: write --for= one of Ready, RolloutComplete, RolledBack'],
  [['wait', 'tj/a', '--for=Ready'], 'TrainingJob has no goal "Ready": write --for= one of Succeeded'],
  [['wait', 'mv/a', '--for=Ready', '--timeout=soon'], '"soon" is no duration: write --timeout=90s or --timeout=5m'],
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
