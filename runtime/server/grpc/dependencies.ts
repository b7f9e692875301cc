import type { PortDependencies } from '../portDependencies.ts';
import type { ReadingRules } from './messageAssembly.ts';

/** What all calls of the port share. */
export interface RpcContext extends PortDependencies {
  readonly reading: ReadingRules;
}
