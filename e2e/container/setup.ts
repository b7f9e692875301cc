import { engineWith } from './engineWith.ts';

/** vitest global setup. */
export default (): Promise<() => Promise<void>> => engineWith('runtime');
