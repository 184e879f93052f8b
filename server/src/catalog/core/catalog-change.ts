import { canonicalJson, type JsonValue } from "../../kernel/json.js";
import { joinPath } from "./fault.js";
import { isMapping } from "./notation/mapping-reader.js";

/** What applying a catalog file does to one thing. */
export interface CatalogChange {
  /** The file's section: "plans". */
  readonly section: string;
  readonly key: string;
  readonly action: "create" | "new_version" | "change" | "archive" | "none";
  /** Of a plan or an add-on: the number that its version gets, or has. */
  readonly version?: number;
  /** Of a plan's new version, RFC 3339. */
  readonly effectiveFrom?: string;
  /** Empty for what is created or does not change. */
  readonly differences: readonly Difference[];
}

/** A member that differs: JSON text before and after, undefined where there was or will be none. */
export interface Difference {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

const differences_max = 100;

/** What differs between two states in the notation; members of a list that have keys are told apart by them. */
export function findDifferences(before: JsonValue, after: JsonValue): Difference[] {
  const found: Difference[] = [];
  compare("", before, after, found);
  return found.length <= differences_max
    ? found
    : [...found.slice(0, differences_max), { path: `… and ${found.length - differences_max} more` }];
}

/** The first five, in a line. */
export function describeDifferences(differences: readonly Difference[]): string {
  return differences
    .slice(0, 5)
    .map(({ path, before, after }) => `${path}: ${before ?? "nothing"} → ${after ?? "nothing"}`)
    .join(", ");
}

function compare(
  path: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  found: Difference[],
): void {
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)) return;
  const [was, is] = [membersOf(before), membersOf(after)];
  if (was !== undefined && is !== undefined && was.by === is.by) {
    for (const name of new Set([...was.members.keys(), ...is.members.keys()]))
      compare(joinPath(path, name), was.members.get(name), is.members.get(name), found);
    if (was.by === "key") compareOrder(path, [...was.members.keys()], [...is.members.keys()], found);
    return;
  }
  found.push({
    path,
    ...(before === undefined ? {} : { before: JSON.stringify(before) }),
    ...(after === undefined ? {} : { after: JSON.stringify(after) }),
  });
}

interface Members {
  readonly by: "name" | "key" | "index";
  readonly members: ReadonlyMap<string, JsonValue>;
}

function membersOf(value: JsonValue | undefined): Members | undefined {
  if (Array.isArray(value)) {
    const keys = value.map((item) => (isMapping(item) ? item["key"] : undefined));
    if (value.length > 0 && keys.every((key) => typeof key === "string"))
      return { by: "key", members: new Map(value.map((item, index) => [keys[index] as string, item])) };
    return { by: "index", members: new Map(value.map((item, index) => [`[${index}]`, item])) };
  }
  return isMapping(value)
    ? { by: "name", members: new Map(Object.entries(value as Readonly<Record<string, JsonValue>>)) }
    : undefined;
}

/** The order of prices is the order of an invoice's lines. */
function compareOrder(
  path: string,
  before: readonly string[],
  after: readonly string[],
  found: Difference[],
): void {
  const [was, is] = [
    before.filter((key) => after.includes(key)),
    after.filter((key) => before.includes(key)),
  ];
  if (was.join("\n") !== is.join("\n"))
    found.push({ path: joinPath(path, "order"), before: was.join(", "), after: is.join(", ") });
}
