import { findBinary } from '../binaries/find.ts';
import { run } from '../command.ts';
import { files } from './settings.ts';

/** kubectl against the local cluster, whatever the user's own kubeconfig says. */
export const kubectl = async (...args: string[]): Promise<string> => kubectlWith(undefined, ...args);

/** The same, with text on its standard input. */
export const kubectlWith = async (input: string | undefined, ...args: string[]): Promise<string> =>
  run(
    await findBinary('kubectl', () => {}),
    ['--kubeconfig', files.kubeconfig, ...args],
    input === undefined ? {} : { input },
  );
