import type { Change, Informer } from '../src/kube/informer.ts';
import { keyOf, keyText } from '../src/kube/resource.ts';
import type { KubeObject } from '../src/kube/wire.ts';

type Identity = readonly [key: string, uid: string, version: string];
export const identitiesOf = (objects: Iterable<KubeObject>): Identity[] =>
  [...objects]
    .map((o): Identity => [keyText(keyOf(o)), o.metadata.uid ?? '', o.metadata.resourceVersion ?? ''])
    .sort((a, b) => (a[0] < b[0] ? -1 : 1));

/**
 * A second store, built only from what an informer tells its subscribers. Equal to the server: no event was missed.
 * A change that does not follow from what was told before is an error of the informer and throws.
 */
export class Mirror<T extends KubeObject> {
  readonly objects = new Map<string, T>();
  /** Every change told, in order. */
  readonly told: Change<T>[] = [];
  readonly faults: string[] = [];

  constructor(informer: Informer<T>) {
    informer.subscribe((change) => this.#take(change));
  }

  #take(change: Change<T>): void {
    this.told.push(change);
    const { type, object, previous } = change;
    const key = keyText(keyOf(object));
    const known = this.objects.get(key);
    if ((type === 'added') !== (known === undefined))
      this.faults.push(`${type} of ${key} while it is ${known ? 'there' : 'gone'}`);
    if (type !== 'added' && previous?.metadata.resourceVersion !== known?.metadata.resourceVersion)
      this.faults.push(`${type} of ${key} from another state than the one told before`);
    if (type === 'updated' && object.metadata.uid !== known?.metadata.uid) this.faults.push(`${key} changed its uid`);
    if (type === 'deleted') this.objects.delete(key);
    else this.objects.set(key, object);
  }
}
