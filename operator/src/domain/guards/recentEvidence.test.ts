import { expect, test } from 'vitest';
import { latencies, type Scene, seen, served, tally, verdictIn } from './builders.ts';

/** Ten minutes of a step at 10 requests a second, of which only the last seconds are told. */
const lately = (clean: Scene['candidate'] & object, recent: ReturnType<typeof tally>, window = 39) =>
  seen(clean.sinceStep, { recent: { window, tally: recent, seconds: 20 } });
const clean = seen({ ...latencies({ 40: 6000 }), ok: 6000 });
const stable = lately(seen(served(54_000, 50)), served(1800, 2));

test.each<[string, Scene['guards'][number], ReturnType<typeof tally>]>([
  ['errors', { name: 'g', errors: { max: '1%' } }, served(200, 60)],
  ['errors against the stable version', { name: 'g', errors: { worseBy: '0.5%' } }, served(200, 60)],
  ['slow answers', { name: 'g', latency: { threshold: '60ms', quantile: 95 } }, latencies({ 40: 100, 500: 100 })],
  ['answers nobody can use', { name: 'g', invalidOutputs: { max: '1%' } }, tally({ ok: 200, invalid: 60 })],
])('%s of the last seconds fail a step that was clean for minutes', (_what, guard, recent) => {
  const scene = { guards: [guard], stable };
  expect(verdictIn({ ...scene, candidate: clean }).verdict).toBe('Pass');
  expect(verdictIn({ ...scene, candidate: lately(clean, recent) })).toMatchObject({ verdict: 'Fail', n: 200 });
});

test('a few failures in the last seconds are no verdict, and what is shown is the step', () => {
  const candidate = lately(clean, served(200, 3));
  expect(verdictIn({ guards: [{ name: 'g', errors: { max: '1%' } }], stable, candidate })).toMatchObject({
    verdict: 'Pass',
    n: 6000,
  });
});

test('the later in a step, the surer a Fail of its last seconds must be: there is no last window', () => {
  const guards = [{ name: 'g', errors: { max: '1%' } }];
  const at = (window: number) =>
    verdictIn({ guards, stable, candidate: lately(clean, served(100, 12), window) }).verdict;
  expect([at(1), at(10_000)]).toEqual(['Fail', 'Pass']);
});

test('trouble of the last seconds that both versions have is not blamed on the candidate', () => {
  const candidate = lately(clean, served(200, 60));
  const both = lately(seen(served(54_000, 50)), served(1800, 540));
  expect(verdictIn({ guards: [{ name: 'g', errors: { max: '1%' } }], stable: both, candidate }).verdict).toBe(
    'SharedFault',
  );
  expect(verdictIn({ guards: [{ name: 'g', errors: { worseBy: '0.5%' } }], stable: both, candidate }).verdict).not.toBe(
    'Fail',
  );
});

test('windows that are not the same on both sides are not compared', () => {
  const candidate = lately(clean, served(200, 60), 40);
  expect(verdictIn({ guards: [{ name: 'g', errors: { worseBy: '0.5%' } }], stable, candidate }).verdict).not.toBe(
    'Fail',
  );
});
