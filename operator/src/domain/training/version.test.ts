import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseVersion, compareVersions } from './version.ts';

const taken = (...versions: string[]) =>
  versions.map((version) => ({ version, by: `ModelVersion flights-${version}`, isMade: true }));

describe('the version a job makes', () => {
  const cases: Record<string, { wanted: string; have: string[]; want: string }> = {
    'the first NextMajor is 1.0.0': { wanted: 'NextMajor', have: [], want: '1.0.0' },
    'the first NextMinor is 0.1.0': { wanted: 'NextMinor', have: [], want: '0.1.0' },
    'the first NextPatch is 0.0.1': { wanted: 'NextPatch', have: [], want: '0.0.1' },
    'NextMajor resets minor and patch': { wanted: 'NextMajor', have: ['1.4.2'], want: '2.0.0' },
    'NextMinor resets patch': { wanted: 'NextMinor', have: ['1.4.2'], want: '1.5.0' },
    'NextPatch is over the newest, not the last made': { wanted: 'NextPatch', have: ['2.0.0', '1.9.9'], want: '2.0.1' },
    '1.10.0 is newer than 1.9.0': { wanted: 'NextMinor', have: ['1.9.0', '1.10.0'], want: '1.11.0' },
    'a named version that is free is taken as it is': { wanted: '3.1.4', have: ['3.1.3'], want: '3.1.4' },
  };
  test.each(Object.entries(cases))('%s', (_name, { wanted, have, want }) => {
    expect(chooseVersion(wanted, taken(...have))).toEqual({ kind: 'free', version: want });
  });

  test('a named version that is taken names its holder', () => {
    expect(chooseVersion('1.0.0', taken('1.0.0'))).toEqual({
      kind: 'taken',
      version: '1.0.0',
      by: 'ModelVersion flights-1.0.0',
    });
  });

  test('a named version below the newest that exists is refused: who follows the newest would miss it', () => {
    expect(chooseVersion('1.9.0', taken('1.10.0', '0.1.0'))).toEqual({
      kind: 'notNewest',
      version: '1.9.0',
      newest: '1.10.0',
    });
  });

  test('a named version below one that a job has only claimed is free: that job may fail', () => {
    const claimed = [{ version: '2.0.0', by: 'TrainingJob other', isMade: false }];
    expect(chooseVersion('1.0.0', claimed)).toEqual({ kind: 'free', version: '1.0.0' });
  });

  test('is never one that is taken, and is newer than all of them', () => {
    const version = fc.tuple(fc.nat(30), fc.nat(30), fc.nat(30)).map((v) => v.join('.'));
    const bump = fc.constantFrom('NextMajor', 'NextMinor', 'NextPatch');
    fc.assert(
      fc.property(bump, fc.array(version), (wanted, have) => {
        const choice = chooseVersion(wanted, taken(...have));
        expect(choice.kind).toBe('free');
        for (const old of have) expect(compareVersions(choice.version, old)).toBeGreaterThan(0);
      }),
    );
  });
});
