import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Window, windowFault, windowOpens } from './window.ts';

const berlin = (window: Partial<Window>): Window => ({ timeZone: 'Europe/Berlin', ...window });
const office = berlin({ days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'], hours: '09:00-17:00' });
const nights = berlin({ days: ['Fri'], hours: '22:00-04:00' });
const christmas = { from: '2030-12-20T00:00:00Z', until: '2031-01-02T00:00:00Z' };

/** Window, moment, and when it opens next: 'open' where it is open. */
const cases: Record<string, [Window, string, string]> = {
  'without days and hours it is always open': [berlin({}), '2030-06-01T03:00:00Z', 'open'],
  'office hours are those of the zone in winter': [office, '2030-01-07T08:00:00Z', 'open'],
  'and not of UTC': [office, '2030-01-07T07:59:59Z', '2030-01-07T08:00:00.000Z'],
  'they end at their end': [office, '2030-01-07T16:00:00Z', '2030-01-08T08:00:00.000Z'],
  'in summer they begin an hour earlier': [office, '2030-07-01T06:59:00Z', '2030-07-01T07:00:00.000Z'],
  'on Friday evening they open on Monday': [office, '2030-01-11T20:00:00Z', '2030-01-14T08:00:00.000Z'],
  'over the weekend in which clocks go forward the next opening is an hour earlier': [
    office,
    '2030-03-29T20:00:00Z',
    '2030-04-01T07:00:00.000Z',
  ],
  'a night is open before midnight': [nights, '2030-01-11T22:30:00Z', 'open'],
  'and after it, though the next day is not named': [nights, '2030-01-12T02:59:00Z', 'open'],
  'until its end': [nights, '2030-01-12T03:00:00Z', '2030-01-18T21:00:00.000Z'],
  'the night before a named day is closed': [nights, '2030-01-11T02:00:00Z', '2030-01-11T21:00:00.000Z'],
  'hours that begin in the hour that clocks skip open at the jump': [
    berlin({ hours: '02:30-05:00' }),
    '2030-03-31T00:59:00Z',
    '2030-03-31T01:00:00.000Z',
  ],
  'hours in the hour that clocks show twice open at the first of them': [
    berlin({ hours: '02:30-02:45' }),
    '2030-10-26T23:00:00Z',
    '2030-10-27T00:30:00.000Z',
  ],
  'and again at the second': [berlin({ hours: '02:30-02:45' }), '2030-10-27T01:31:00Z', 'open'],
  'a day is open to its last minute': [berlin({ days: ['Sun'] }), '2030-01-06T22:59:59Z', 'open'],
  'a day opens at its midnight': [berlin({ days: ['Sun'] }), '2030-01-06T23:00:00Z', '2030-01-12T23:00:00.000Z'],
  'the whole day may be written out': [berlin({ hours: '00:00-24:00' }), '2030-01-06T22:59:59Z', 'open'],
  'a freeze closes it': [berlin({ freezes: [christmas] }), '2030-12-24T12:00:00Z', '2031-01-02T00:00:00.000Z'],
  'a freeze that ends at night opens with the hours': [
    { ...office, freezes: [christmas] },
    '2030-12-24T12:00:00Z',
    '2031-01-02T08:00:00.000Z',
  ],
  'freezes that touch are one': [
    berlin({ freezes: [christmas, { from: '2031-01-02T00:00:00Z', until: '2031-02-01T00:00:00Z' }] }),
    '2030-12-24T12:00:00Z',
    '2031-02-01T00:00:00.000Z',
  ],
  'a zone that is half an hour off is right too': [
    { timeZone: 'Asia/Kolkata', hours: '09:00-17:00' },
    '2030-01-07T03:29:00Z',
    '2030-01-07T03:30:00.000Z',
  ],
};

describe('a window', () => {
  test.each(Object.entries(cases))('%s', (_sentence, [window, now, next]) => {
    const { open, nextOpen } = windowOpens(window, new Date(now));
    expect(open ? 'open' : nextOpen?.toISOString()).toBe(next);
  });

  test('opens when it says it will, and at no whole hour of the day before', () => {
    const window: fc.Arbitrary<Window> = fc.record({
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'),
      days: fc.subarray(['Mon', 'Wed', 'Sat', 'Sun'] as Window['days'] & object, { minLength: 1 }),
      hours: fc.constantFrom('09:00-17:00', '22:00-04:00', '00:00-01:00', '02:15-02:45'),
      freezes: fc.subarray([christmas]),
    });
    fc.assert(
      fc.property(window, fc.integer({ min: 0, max: 366 * 24 }), (given, hour) => {
        const now = new Date(Date.parse('2030-01-01T00:00:00Z') + hour * 3_600_000);
        const { open, nextOpen } = windowOpens(given, now);
        if (open) return;
        expect(nextOpen).toBeDefined();
        const until = nextOpen?.getTime() ?? 0;
        expect(windowOpens(given, new Date(until)).open).toBe(true);
        const hours = Array.from({ length: 24 }, (_, i) => now.getTime() + i * 3_600_000).filter((at) => at < until);
        expect(hours.filter((at) => windowOpens(given, new Date(at)).open)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('in a zone that nobody knows is named', () => {
    expect(windowFault({ timeZone: 'Mars/Olympus' })).toMatch(/nobody knows the time zone Mars\/Olympus; write/);
  });

  test('with a freeze that ends before it begins is named', () => {
    const freezes = [christmas, { from: christmas.until, until: christmas.from }];
    expect(windowFault(berlin({ freezes }))).toMatch(/freezes\[1\] must end after it begins/);
  });

  test('that is in order has no fault', () => {
    expect(windowFault({ ...office, freezes: [christmas] })).toBeUndefined();
  });
});
