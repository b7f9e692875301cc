import type { AdmitsCopy } from '../evidence/copyEvidence.ts';
import type { PortDependencies } from '../portDependencies.ts';
import type { RegionReader } from '../protocol/parser/regionReader.ts';
import type { Peers } from '../sessions/peers.ts';
import type { Sessions } from '../sessions/sessions.ts';

export interface RestDependencies extends PortDependencies {
  /**
   * Whether Authorization admits a copy that another pod's shadow made for this order: such a pod has no API key. What
   * it does not admit is counted as a caller's request, whatever its headers say. Undefined: nobody is admitted.
   */
  readonly admitsCopy?: AdmitsCopy;
  /** Whether plain requests are read by the lane (lane/); true by default. */
  readonly fastLane?: boolean;
  /** Reads large bodies in another thread; undefined: they are read here. */
  readonly reader?: RegionReader;
  /** Knows whose requests are passed on to the other version; undefined: nobody's are. */
  readonly sessions?: Sessions;
  /** Other pods of the service, asked about labels; undefined: there are none. */
  readonly peers?: Peers;
}
