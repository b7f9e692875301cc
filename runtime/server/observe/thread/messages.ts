import type { ShadowEvidence, ShadowOrder } from '@slipway/crds/contract';
import type { ServingSettings } from '@slipway/crds/serving';
import type { ModelIdentity } from '../../models/servedModel.ts';
import type { TensorValue } from '../../tensor.ts';
import type { OutboxCounts } from '../outbox.ts';
import type { ShadowedModel } from '../shadow/shadow.ts';

/** What the watcher thread is started with. */
export interface WatcherStart {
  readonly shadow: ServingSettings['shadow'];
  readonly samples: ServingSettings['samples'];
  readonly hashKey: Uint8Array;
  /** Memory of the rooms that parcels are given out of (see Room). */
  readonly shadowRoom: Int32Array<SharedArrayBuffer>;
  readonly sampleRoom: Int32Array<SharedArrayBuffer>;
}

export interface WatchedModel {
  readonly identity: ModelIdentity;
  readonly shadowed: ShadowedModel;
  /** Memory of the room that copies of this model are given out of, besides that of all. */
  readonly room: Int32Array<SharedArrayBuffer>;
}

/** An exchange on its way to the watcher thread. */
export interface Parcel {
  /** Of the model. */
  readonly key: number;
  /** Who takes it, once each. */
  readonly shadow: boolean;
  readonly sample: boolean;
  readonly id: string | undefined;
  /** Context for the copy to the candidate. */
  readonly traceparent: string | undefined;
  readonly startedAt: number;
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly TensorValue[];
  /** What it takes of each room. */
  readonly bytes: number;
}

export type ToWatcher =
  | { readonly kind: 'parcels'; readonly parcels: readonly Parcel[] }
  | { readonly kind: 'model'; readonly key: number; readonly model: WatchedModel }
  | { readonly kind: 'forget'; readonly key: number }
  | {
      readonly kind: 'order';
      readonly key: number;
      readonly order: ShadowOrder | null;
      readonly authorization: string | undefined;
    }
  | { readonly kind: 'close' };

export type FromWatcher =
  | { readonly kind: 'shadow'; readonly key: number; readonly evidence: ShadowEvidence }
  | { readonly kind: 'samples'; readonly counts: OutboxCounts };
