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

it('threads rest while they wait, unless they are to spin', () => {
  const spinning = (settings: object) => Object.values(plan(settings).entries);
  expect(spinning({})).toEqual(['0', '0']);
  expect(spinning({ spinning: true })).toEqual(['1', '1']);
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
