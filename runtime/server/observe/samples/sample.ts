import type { ModelIdentity } from '../../models/servedModel.ts';
import type { TensorValue } from '../../tensor.ts';
import { type JsonTensor, jsonTensor } from '../jsonTensor.ts';

/** An answered request, to be asked again: `request` is the body of a V2 infer request, `response` what it got. */
export interface Sample {
  /** ISO 8601. */
  readonly time: string;
  readonly model: string;
  readonly version: string;
  readonly digest: string;
  readonly id: string | undefined;
  readonly request: { readonly inputs: readonly JsonTensor[]; readonly outputs: readonly { readonly name: string }[] };
  readonly response: { readonly outputs: readonly JsonTensor[] };
}

export interface SampledExchange {
  readonly id: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly TensorValue[];
}

export function sampleOf({ name, version, digest }: ModelIdentity, exchange: SampledExchange): Sample {
  const { id, startedAt, inputs, outputs } = exchange;
  return {
    time: new Date(startedAt).toISOString(),
    model: name,
    version,
    digest,
    id,
    request: {
      inputs: inputs.map((tensor) => jsonTensor(tensor)),
      outputs: outputs.map((output) => ({ name: output.name })),
    },
    response: { outputs: outputs.map((tensor) => jsonTensor(tensor)) },
  };
}
