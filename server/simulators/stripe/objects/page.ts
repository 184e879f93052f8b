import { badParameter } from "../api/api-error.js";
import type { Parameters, Range } from "../api/parameters.js";
import type { ObjectStore, StoredObject } from "./object-store.js";

/** A list as it goes over the wire. */
export interface Page<Wire> {
  readonly object: "list";
  readonly url: string;
  readonly has_more: boolean;
  readonly data: readonly Wire[];
}

export interface PageRequest<T> {
  readonly store: ObjectStore<T & StoredObject>;
  readonly url: string;
  readonly params: Parameters;
  readonly matches: (object: T) => boolean;
}

const limit_default = 10;
const limit_max = 100;

/** A page of a list, newest first: `limit`, `starting_after`, `ending_before` and `created` are read here. */
export function listPage<T extends StoredObject>(request: PageRequest<T>): Page<T["wire"]> {
  const { store, params, matches } = request;
  const limit = params.integer("limit") ?? limit_default;
  if (limit < 1 || limit > limit_max)
    throw badParameter("limit", `Invalid limit: ${limit}; must be between 1 and ${limit_max}`);
  const created = params.range("created");
  const after = params.text("starting_after");
  const before = params.text("ending_before");
  if (after !== undefined && before !== undefined)
    throw badParameter(
      "ending_before",
      "You can only specify one of these parameters: starting_after, ending_before.",
    );
  params.done();

  const order = store.inOrder();
  const isWanted = (object: T): boolean => isIn(object.wire.created, created) && matches(object);
  if (before !== undefined)
    return pageBefore(
      request.url,
      order,
      indexOf(order, store.get(before, "ending_before")),
      limit,
      isWanted,
    );
  const data: T["wire"][] = [];
  const from = after === undefined ? order.length : indexOf(order, store.get(after, "starting_after"));
  for (let index = from - 1; index >= 0; index -= 1) {
    const object = order[index];
    if (object === undefined || isOlderThanAll(object.wire.created, created)) break;
    if (!isWanted(object)) continue;
    if (data.length === limit) return { object: "list", url: request.url, has_more: true, data };
    data.push(object.wire);
  }
  return { object: "list", url: request.url, has_more: false, data };
}

/** The page that ends just before an object, on the side of what is newer. */
function pageBefore<T extends StoredObject>(
  url: string,
  order: readonly T[],
  end: number,
  limit: number,
  isWanted: (object: T) => boolean,
): Page<T["wire"]> {
  const data: T["wire"][] = [];
  for (const object of order.slice(end + 1)) {
    if (!isWanted(object)) continue;
    if (data.length === limit) return { object: "list", url, has_more: true, data: data.reverse() };
    data.push(object.wire);
  }
  return { object: "list", url, has_more: false, data: data.reverse() };
}

/** Where an object stands: `created` never falls along the order, so that its stretch is found by halving. */
function indexOf<T extends StoredObject>(order: readonly T[], wanted: T): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((order[middle]?.wire.created ?? Infinity) < wanted.wire.created) low = middle + 1;
    else high = middle;
  }
  return order.indexOf(wanted, low);
}

export function isIn(value: number, range: Range | undefined): boolean {
  if (range === undefined) return true;
  return (
    value > (range.gt ?? -Infinity) &&
    value >= (range.gte ?? -Infinity) &&
    value < (range.lt ?? Infinity) &&
    value <= (range.lte ?? Infinity)
  );
}

function isOlderThanAll(created: number, range: Range | undefined): boolean {
  return range !== undefined && (created < (range.gte ?? -Infinity) || created <= (range.gt ?? -Infinity));
}
