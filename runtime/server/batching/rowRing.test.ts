import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TensorValue } from '../tensor.ts';
import type { RowLayout } from './rowLayout.ts';
import { RowRing } from './rowRing.ts';

const layout: RowLayout = {
  inputs: [
    { name: 'a', datatype: 'UINT8', shape: [3], elements: 3, bytes: 3 },
    { name: 'b', datatype: 'FP64', shape: [], elements: 1, bytes: 8 },
  ],
  bytes: 11,
};

const numbers = (tensor: TensorValue | undefined): number[] => [...(tensor as TensorValue).elements].map(Number);

/** Writes `value` into every element of a lease. */
function write(ring: RowRing, start: number, rows: number, value: number): void {
  const [a, b] = ring.view(start, rows) as [TensorValue, TensorValue];
  (a.elements as Uint8Array).fill(value);
  (b.elements as Float64Array).fill(value);
}

describe('the ring of rows', () => {
  it('gives what is leased in a row side by side, as one view of both inputs', () => {
    const ring = new RowRing(layout, 4);
    expect([ring.lease(1), ring.lease(2)]).toEqual([0, 1]);
    write(ring, 0, 1, 7);
    write(ring, 1, 2, 9);
    const [a, b] = ring.view(0, 3);
    expect(a).toMatchObject({ name: 'a', datatype: 'UINT8', shape: [3, 3] });
    expect(numbers(a)).toEqual([7, 7, 7, 9, 9, 9, 9, 9, 9]);
    expect(b?.shape).toEqual([3]);
    expect(numbers(b)).toEqual([7, 9, 9]);
  });

  it('begins anew at its first row when it is empty, so that few callers touch few rows', () => {
    const ring = new RowRing(layout, 8);
    for (let i = 0; i < 20; i += 1) {
      expect(ring.lease(1)).toBe(0);
      ring.release(0);
    }
  });

  it('frees what was given back out of order once the earlier leases are given back too', () => {
    const ring = new RowRing(layout, 4);
    const [first, second] = [ring.lease(2) as number, ring.lease(2) as number];
    ring.release(second);
    expect(ring.lease(1)).toBeUndefined();
    ring.release(first);
    expect(ring.lease(4)).toBe(0);
  });

  it('skips the rows before its end that are too few, and uses them on the next round', () => {
    const ring = new RowRing(layout, 4);
    const first = ring.lease(2) as number;
    const second = ring.lease(1) as number;
    ring.release(first);
    expect(ring.lease(2), 'one row is left before the end').toBe(0);
    expect(ring.used).toBe(4);
    ring.release(second);
    expect(ring.used).toBe(2);
  });

  it('never lets two leases share a row, keeps within its memory and loses no room', () => {
    const script = fc.array(fc.record({ lease: fc.boolean(), rows: fc.integer({ min: 1, max: 5 }), which: fc.nat() }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), script, (capacity, steps) => {
        const ring = new RowRing(layout, capacity);
        const held: { start: number; rows: number; value: number }[] = [];
        steps.forEach(({ lease, rows, which }, i) => {
          const start = lease ? ring.lease(rows) : undefined;
          if (start !== undefined) {
            expect(start + rows).toBeLessThanOrEqual(capacity);
            const value = i % 200;
            held.push({ start, rows, value });
            write(ring, start, rows, value);
          } else if (!lease && held.length > 0) {
            const [gone] = held.splice(which % held.length, 1);
            ring.release(gone?.start as number);
          }
          for (const { start: at, rows: of, value } of held) {
            for (const tensor of ring.view(at, of)) expect(new Set(numbers(tensor))).toEqual(new Set([value]));
          }
        });
        for (const { start } of held) ring.release(start);
        expect(ring.used).toBe(0);
        expect(ring.lease(capacity)).toBe(0);
      }),
    );
  });
});
