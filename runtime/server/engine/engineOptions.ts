import type { EngineSettings } from '@slipway/crds/serving';

/** A program of Node that calls `childMain` when it is started with CHILD_MARKER among its arguments. */
export interface ChildProgram {
  readonly file: string | URL;
  readonly arguments?: readonly string[];
}

/** What an engine is opened with. */
export interface EngineOptions {
  /** The .onnx file. */
  readonly path: string;
  /** Names the artifact that the file is part of: optimised models are kept by it. */
  readonly digest: string;
  readonly settings: EngineSettings;
  /** CPUs that the process may use: threads where the settings name none. */
  readonly cores: number;
  /** What the `node` backend starts to run models in: the program of this very process by default. */
  readonly child?: ChildProgram;
  /** Told, in a sentence, what was decided that nobody asked for: a provider that is not there, a cache written anew. */
  readonly log?: (sentence: string) => void;
}
