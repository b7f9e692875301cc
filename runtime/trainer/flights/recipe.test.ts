import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { categoricalSummary, farthest, numericSummary } from './baseline.ts';
import { codeBookOf } from './codeBook.ts';
import { numericFeatures } from './features.ts';
import { normalisationOf, normalised } from './normalise.ts';
import { splitRows } from './selection.ts';
import { isHeldOut, mixRow, sampleRows } from './split.ts';
import type { FlightTable } from './table.ts';

const minutes = (iso: string) => Date.parse(`${iso}Z`) / 60_000;

describe('the code book', () => {
  const book = codeBookOf('origin,destination,count\nABE,ATL,10\nATL,ORD,100\nORD,BOS,10\n');

  it('numbers airports by traffic, ties by name', () => {
    expect(book.airports).toEqual(['', 'ATL', 'ORD', 'ABE', 'BOS']);
    expect(book.codeOf('ORD')).toBe(2);
  });

  it('has code 0 for an airport that it does not list', () => {
    expect(book.codeOf('XXX')).toBe(0);
  });
});

describe('the features of a departure', () => {
  it.each([
    ['2001-01-01T00:01', [0, 1, 1, 500]],
    ['2001-02-25T23:59', [23, 0, 2, 500]],
    ['2001-06-30T12:30', [12, 6, 6, 500]],
  ])('at %s are hour, day of week, month and distance', (at, features) => {
    expect(numericFeatures(minutes(at), 500)).toEqual(features);
  });
});

describe('the split', () => {
  it('holds out one flight in twenty, spread over the whole file', () => {
    for (let from = 0; from < 3_000_000; from += 500_000) {
      let heldOut = 0;
      for (let row = from; row < from + 100_000; row++) if (isHeldOut(row)) heldOut++;
      expect(Math.abs(heldOut / 100_000 - 0.05)).toBeLessThan(0.003);
    }
  });

  it('draws the same rows for the same seed, each once, and a larger draw begins with the smaller', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(3_000_000)), fc.nat(), fc.nat(50), (rows, seed, limit) => {
        const drawn = sampleRows(rows, limit, seed);
        expect(drawn).toEqual(sampleRows([...rows].reverse(), rows.length, seed).slice(0, limit));
        expect(new Set(drawn).size).toBe(Math.min(limit, rows.length));
      }),
    );
  });

  const many = Array.from({ length: 50_000 }, (_, row) => row);
  it.each([
    ['of many', many],
    ['of many that happen to be drawn late', many.filter((row) => mixRow(row, 7) > 2 ** 31)],
  ])('draws a few %s as if all had been drawn', (_, rows) => {
    const all = sampleRows(rows, rows.length, 7);
    for (const limit of [1, 20, 1000, rows.length - 1]) expect(sampleRows(rows, limit, 7)).toEqual(all.slice(0, limit));
  });

  const table: FlightTable = {
    rows: 60,
    departure: Int32Array.from({ length: 60 }, (_, i) => minutes(i < 30 ? '2001-01-31T23:59' : '2001-02-01T00:00')),
    delay: new Int16Array(60),
    distance: new Int16Array(60),
    origin: Uint16Array.from({ length: 60 }, (_, i) => i % 5),
    destination: new Uint16Array(60).fill(2),
  };

  it('parts the rows of the chosen months and no others', () => {
    const { training, heldOut } = splitRows(table, { monthFrom: 2, monthTo: 3, busiestAirports: 0 });
    expect([...training, ...heldOut].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 30));
    expect(heldOut.every(isHeldOut)).toBe(true);
    expect(training.some(isHeldOut)).toBe(false);
  });

  it('keeps flights between the busiest airports only, without the unlisted', () => {
    const { training, heldOut } = splitRows(table, { monthFrom: 1, monthTo: 6, busiestAirports: 3 });
    expect(new Set([...training, ...heldOut].map((row) => table.origin[row]))).toEqual(new Set([1, 2, 3]));
    expect(splitRows(table, { monthFrom: 1, monthTo: 6, busiestAirports: 1 }).training).toEqual([]);
  });
});

describe('normalisation', () => {
  it('gives every column mean 0 and deviation 1, and leaves a constant column at 0', () => {
    const raw = Float32Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 7 : Math.sin(i) * 100 + 40));
    const result = normalised(raw, normalisationOf(raw, 3));
    for (const column of [0, 1, 2]) {
      const values = result.filter((_, i) => i % 3 === column);
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
      expect(mean).toBeCloseTo(0, 4);
      expect(variance).toBeCloseTo(column === 0 ? 0 : 1, 4);
    }
  });
});

describe('the baseline', () => {
  it('counts every value in exactly one bin, edges rising', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 400 }), (raw) => {
        const { count, bins, min, max } = numericSummary(Float32Array.from(raw));
        expect(count).toBe(raw.length);
        expect(bins.counts.reduce((a, b) => a + b, 0)).toBe(raw.length);
        expect(bins.counts).toHaveLength(bins.edges.length + 1);
        expect([...bins.edges].sort((a, b) => a - b)).toEqual(bins.edges);
        expect([min, max]).toEqual([Math.min(...raw), Math.max(...raw)]);
        bins.edges.forEach((edge, i) => {
          const below = bins.counts.slice(0, i + 1).reduce((a, b) => a + b, 0);
          expect(below).toBe(raw.filter((x) => x <= edge).length);
        });
      }),
    );
  });

  it('says how far the farthest thousandth of the rows lie from the mean of the rest', () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 2000 });
    fc.assert(
      fc.property(values, (raw) => {
        const column = Float32Array.from(raw);
        const constant = new Float32Array(raw.length).fill(3);
        const summaries = [numericSummary(column), numericSummary(constant)];
        const threshold = farthest([column, constant], summaries);
        const [{ mean, m2, count }] = summaries as [ReturnType<typeof numericSummary>];
        const distances = raw.map((x) => (m2 === 0 ? 0 : ((x - mean) ** 2 * (count - 1)) / m2));
        const beyond = distances.filter((distance) => distance > threshold * (1 + 1e-12)).length;
        expect(beyond).toBeLessThanOrEqual(raw.length * 0.001);
        expect(distances.some((distance) => Math.abs(distance - threshold) <= 1e-9 * (1 + threshold))).toBe(true);
      }),
    );
  });

  it('names the most frequent categories and counts the rest', () => {
    const codes = Int32Array.from([...new Array(30).fill(9), ...Array.from({ length: 25 }, (_, i) => i + 100)]);
    const { categories, other } = categoricalSummary(codes);
    expect(categories[0]).toEqual({ value: 9, count: 30 });
    expect(categories).toHaveLength(20);
    expect(other).toBe(6);
  });
});
