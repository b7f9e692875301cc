import { engineWith } from '../container/engineWith.ts';

/** vitest global setup. */
export default (): Promise<() => Promise<void>> => engineWith('runtime-cuda');
