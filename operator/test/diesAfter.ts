import type { Client } from '../src/kube/client.ts';

const WRITES: readonly PropertyKey[] = ['create', 'apply', 'applyStatus', 'merge', 'delete'];

/** The client of an operator that dies after so many writes: no later one is made. */
export function diesAfter(client: Client, writes: number): Client {
  let left = writes;
  return new Proxy(client, {
    get: (target, name) => {
      const call = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      if (!WRITES.includes(name)) return call.bind(target);
      return async (...args: unknown[]) => {
        if (left === 0) throw new Error('the operator is dead');
        left -= 1;
        return call.apply(target, args);
      };
    },
  });
}
