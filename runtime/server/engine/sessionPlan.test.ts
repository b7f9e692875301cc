import { engineSettingsSchema } from '@slipway/crds/serving';
import { expect, it } from 'vitest';
import { planSession } from './sessionPlan.ts';

const plan = (settings: object, cores = 2) => planSession(engineSettingsSchema.parse(settings), cores);

it.each<[string, object, object]>([
  ['nothing said', {}, { threads: 2, optimization: 'all', gpuProviders: [], mayFallBack: true }],
  ['threads', { threads: 7 }, { threads: 7 }],
  ['a level', { optimization: 'basic' }, { optimization: 'basic' }],
  ['a GPU first', { providers: ['tensorrt', 'cuda', 'cpu'] }, { gpuProviders: ['tensorrt', 'cuda'] }],
  ['a GPU that is needed', { providers: ['cuda', 'cpu'], requireGpu: true }, { mayFallBack: false }],
])('a session with %s is planned as asked', (_, settings, planned) => {
  expect(plan(settings)).toMatchObject(planned);
});

const [INTRA, INTER, DURATION] = [
  'session.intra_op.allow_spinning',
  'session.inter_op.allow_spinning',
  'session.intra_op.spin_duration_us',
];

it.each<[string, object, object]>([
  ['look for the next operator for a moment', {}, { [INTRA]: '1', [INTER]: '0', [DURATION]: '50' }],
  ['look as long as they are told', { spinMicroseconds: 7 }, { [INTRA]: '1', [INTER]: '0', [DURATION]: '7' }],
  ['rest where they are to', { spinMicroseconds: 0 }, { [INTRA]: '0', [INTER]: '0' }],
  ['spin without our bound where they are to', { spinning: true }, { [INTRA]: '1', [INTER]: '1' }],
])('threads without work %s', (_, settings, entries) => {
  expect(plan(settings).entries).toEqual(entries);
});

it('what is said to ONNX Runtime itself wins', () => {
  const entry = 'session.intra_op.allow_spinning';
  const { entries } = plan({ session: { [entry]: '1', 'session.set_denormal_as_zero': '1' } });
  expect(entries).toMatchObject({ [entry]: '1', 'session.set_denormal_as_zero': '1' });
});

it.each([{ device: 1 }, { memoryBytes: 2 ** 30 }, { shrink: true }])('%o is refused where no GPU is named', (gpu) => {
  expect(() => plan({ gpu })).toThrow(
    `engine.gpu.${Object.keys(gpu)[0]} is set, but engine.providers names no GPU; write "providers": ["cuda"] or leave it out.`,
  );
});

it('a bound for an arena that nobody has is refused', () => {
  expect(() => plan({ providers: ['tensorrt'], gpu: { memoryBytes: 2 ** 30 } })).toThrow(/bounds the arena of "cuda"/);
});
