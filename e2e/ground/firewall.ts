import { run } from '@slipway/hack/local-cluster/command.ts';

const iptables = (...args: readonly string[]): Promise<string> => run('iptables', ['-w', '10', ...args]);

/** A connection that is cut: nothing is refused and nothing comes back, as behind a network policy. */
export interface Cut {
  restore(): Promise<void>;
}

/** Drops what one address sends to a port of another, also on connections that are open, until it is restored. */
export async function cutOff(from: string, to: string, port: number): Promise<Cut> {
  const rule = ['FORWARD', '-s', from, '-d', to, '-p', 'tcp', '--dport', String(port), '-j', 'DROP'];
  await iptables('-I', ...rule);
  return {
    restore: async () => {
      await iptables('-D', ...rule);
    },
  };
}
