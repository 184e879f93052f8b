import { missing, refused } from "../api/api-error.js";
import type { ObjectIds } from "../object-ids.js";

/** What is kept of an object: as it goes over the wire, and what only the simulator knows. */
export interface StoredObject {
  readonly wire: { readonly id: string; readonly created: number };
}

export interface ObjectStoreOptions<T extends StoredObject> {
  /** As in "No such customer". */
  readonly noun: string;
  readonly ids: ObjectIds;
  readonly objects_max: number;
  /** Whether nothing more will happen to it, so that it may be dropped when there is no room. */
  readonly isSettled: (object: T) => boolean;
  /** Told of each object that is dropped. */
  readonly onDrop?: (object: T) => void;
}

// A tenth at once: dropping one by one would move the whole order each time.
const dropped_share = 10;

/** Objects of one kind, in the order they were made; bounded: when it is full, the oldest settled ones go. */
export class ObjectStore<T extends StoredObject> {
  readonly #on: ObjectStoreOptions<T>;
  readonly #byId = new Map<string, T>();
  #order: T[] = [];

  constructor(options: ObjectStoreOptions<T>) {
    this.#on = options;
  }

  /** @throws ApiError 400 when it is full of objects that are not settled */
  add(object: T): T {
    if (this.#byId.size >= this.#on.objects_max) this.#drop();
    this.#byId.set(object.wire.id, object);
    this.#order.push(object);
    return object;
  }

  find(id: string): T | undefined {
    return this.#byId.get(id);
  }

  /**
   * @param param  where the id was: "id" and "intent" are the path's names
   * @throws ApiError 404 or 400
   */
  get(id: string, param = "id"): T {
    const found = this.#byId.get(id);
    if (found === undefined) throw missing(this.#on.noun, id, param, this.#on.ids.isOurs(id));
    return found;
  }

  /** The objects as they were made, oldest first. */
  inOrder(): readonly T[] {
    return this.#order;
  }

  #drop(): void {
    const { objects_max, noun, isSettled, onDrop } = this.#on;
    let left = Math.max(1, Math.floor(objects_max / dropped_share));
    const kept: T[] = [];
    for (const object of this.#order) {
      if (left > 0 && isSettled(object)) {
        left -= 1;
        this.#byId.delete(object.wire.id);
        onDrop?.(object);
      } else kept.push(object);
    }
    this.#order = kept;
    if (this.#byId.size >= objects_max)
      throw refused(
        `The simulator holds ${objects_max} objects of the kind "${noun}", none of which is settled. Raise limits.objects_max.`,
      );
  }
}
