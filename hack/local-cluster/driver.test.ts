import { describe, expect, test } from 'vitest';
import { chooseDriver, type Machine } from './driver.ts';

const laptop: Machine = { isRootOnLinux: false, hasApt: false, dockerRuns: true };
const server: Machine = { isRootOnLinux: true, hasApt: true, dockerRuns: false };

const cases: Record<string, { wish?: string; machine: Machine; want: string }> = {
  'root on Debian runs the cluster on the host': { machine: server, want: 'host' },
  'root on Debian does so also where Docker runs': { machine: { ...server, dockerRuns: true }, want: 'host' },
  'anyone else with Docker runs kind': { machine: laptop, want: 'kind' },
  'an empty wish is none': { wish: '', machine: laptop, want: 'kind' },
  'a wish is obeyed': { wish: 'kind', machine: server, want: 'kind' },
};

describe('the driver', () => {
  test.each(Object.entries(cases))('%s', (_name, { wish, machine, want }) => {
    expect(chooseDriver(wish, machine)).toBe(want);
  });

  test('a wish that names none says what to write', () => {
    expect(() => chooseDriver('minikube', server)).toThrow('SLIPWAY_CLUSTER_DRIVER is minikube: write host or kind.');
  });

  test('a machine that can run neither is told what it lacks', () => {
    expect(() => chooseDriver(undefined, { ...laptop, dockerRuns: false })).toThrow('start Docker');
  });
});
