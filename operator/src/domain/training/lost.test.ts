import { describe, expect, test } from 'vitest';
import { AT, after, pod } from '../../../test/trainingBuilders.ts';
import type { Node } from '../../api/builtin.ts';
import { looksLost, lostNodes } from './lost.ts';

const node = (name: string, status: string, since = AT): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status, lastTransitionTime: since }] },
});
const on = (name: string) => pod({ node: name });

describe('a pod looks lost', () => {
  test('when nobody hears of its node, while its containers were ready', () => {
    expect(looksLost(pod({ heard: false }))).toBe(true);
  });
  test('not while it is ready, nor when its container is not', () => {
    expect(looksLost(pod())).toBe(false);
    expect(looksLost(pod({ phase: 'Pending' }))).toBe(false);
  });
});

describe('a node is lost', () => {
  const of = (nodes: Node[], seconds = 30) => [...lostNodes([on('n1')], nodes, after(seconds))];
  test('that does not answer', () => expect(of([node('n1', 'Unknown')])).toEqual([['n1', 'does not answer']]));
  test('that is gone', () => expect(of([node('n2', 'True')])).toEqual([['n1', 'is gone']]));
  test('that says for a minute that it is not ready, and not before: a kubelet that restarts says so too', () => {
    expect(of([node('n1', 'False')], 59)).toEqual([]);
    expect(of([node('n1', 'False')], 60)).toEqual([['n1', 'is not ready']]);
  });
  test('never for want of the right to see nodes', () => expect(of([])).toEqual([]));
  test('not while it is well', () => expect(of([node('n1', 'True')])).toEqual([]));
});
