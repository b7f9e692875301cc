import { chooseDriver, type Driver, inspectMachine } from './driver.ts';
import { hostDriver } from './host/driver.ts';
import { kindDriver } from './kind/driver.ts';
import { progress } from './progress.ts';

const USAGE = `Usage: hack/cluster up | down | status | load IMAGE...

  up      brings up a Kubernetes cluster with one node, and Envoy Gateway; safe to repeat
  down    ends it and removes what it left on the machine
  status  says what runs, and how many packets to cluster addresses would have left the machine; exits 1 unless up
  load    makes images available to the node: names of images that hack/images built, or paths of archives

The kubeconfig is .cluster/kubeconfig; your own is never touched.
SLIPWAY_CLUSTER_DRIVER is host (the default for root on Debian or Ubuntu) or kind (the default where Docker runs).
`;

const log = progress();

async function perform(driver: Driver, command: string | undefined, rest: readonly string[]): Promise<void> {
  if (command === 'up' && rest.length === 0) return driver.up(log);
  if (command === 'down' && rest.length === 0) return driver.down(log);
  if (command === 'load' && rest.length > 0) {
    for (const image of rest) await driver.load(image, log);
    return;
  }
  if (command === 'status' && rest.length === 0) {
    const { lines, isUp } = await driver.status();
    process.stdout.write(`${lines.join('\n')}\n`);
    process.exitCode = isUp ? 0 : 1;
    return;
  }
  process.stderr.write(USAGE);
  process.exitCode = 2;
}

const HELP = ['help', '--help', '-h'];

try {
  const [command, ...rest] = process.argv.slice(2);
  if (command !== undefined && HELP.includes(command)) process.stdout.write(USAGE);
  else {
    const name = chooseDriver(process.env['SLIPWAY_CLUSTER_DRIVER'], await inspectMachine());
    await perform(name === 'host' ? hostDriver : kindDriver, command, rest);
  }
} catch (error) {
  process.stderr.write(`hack/cluster: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
