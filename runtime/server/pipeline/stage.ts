import type { Engine } from '../engine/engine.ts';

/** One link of a chain between the caller's tensors and the answers: an engine, or the tokenizer. */
export interface Stage extends Pick<Engine, 'signature' | 'healthy' | 'run' | 'check' | 'close'> {
  /** The file it came from, for sentences about it. */
  readonly file: string;
}
