import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RememberedAnswers } from './rememberedAnswers.ts';

const seeds = () => 0.25;

describe('remembered answers', () => {
  test('are found by id, and what the first label said stays with them', () => {
    const answers = new RememberedAnswers(10, 1000, seeds);
    answers.remember('a', 7, 0.5, 0);
    expect(answers.find('a', 1)).toEqual({ at: 0, predicted: 7, confidence: 0.5, verdict: undefined });
    answers.judge('a', 'wrong', 1);
    expect(answers.find('a', 2)).toEqual({ at: 0, predicted: 7, confidence: 0.5, verdict: 'wrong' });
    expect(answers.find('b', 2)).toBeUndefined();
  });

  test('are forgotten by age', () => {
    const answers = new RememberedAnswers(10, 1000, seeds);
    answers.remember('a', 7, 0.5, 0);
    expect(answers.find('a', 1000)).toBeDefined();
    expect(answers.find('a', 1001)).toBeUndefined();
  });

  test('none are kept where feedback is off', () => {
    const answers = new RememberedAnswers(0, 1000, seeds);
    answers.remember('a', 7, 0.5, 0);
    expect(answers.find('a', 0)).toBeUndefined();
  });

  test('hold the newest, and the newest of an id, whatever comes', () => {
    const history = fc.array(fc.record({ id: fc.integer({ min: 0, max: 60 }).map(String), predicted: fc.nat() }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), history, (most, requests) => {
        const answers = new RememberedAnswers(most, 1000, seeds);
        const model = new Map<string, number>(); // in the order in which each id came first
        for (const { id, predicted } of requests) {
          answers.remember(id, predicted, 0.5, 0);
          const oldest = model.keys().next().value;
          if (!model.has(id) && model.size === most && oldest !== undefined) model.delete(oldest);
          model.set(id, predicted);
        }
        expect(answers.size).toBe(model.size);
        for (let id = 0; id <= 60; id++) expect(answers.find(`${id}`, 0)?.predicted).toBe(model.get(`${id}`));
      }),
    );
  });

  test('are all found again after the ring has grown and come round many times', () => {
    const answers = new RememberedAnswers(5000, 1000, Math.random);
    for (let i = 0; i < 100_000; i++) answers.remember(`request-${i}`, i, i / 100_000, 0);
    expect(answers.size).toBe(5000);
    const found = Array.from({ length: 100_000 }, (_, i) => answers.find(`request-${i}`, 0)?.predicted ?? -1);
    expect(found.every((predicted, i) => predicted === (i >= 95_000 ? i : -1))).toBe(true);
  });
});
