import { badParameter } from "../api/api-error.js";

/** What a search asks of one object. */
export type SearchCondition = (wire: object) => boolean;

const clauses_max = 10;
const clause =
  /^(-?)(?:metadata\[(?:"([^"]*)"|'([^']*)')\]|([a-z_]+))\s*(:|>=|<=|>|<)\s*(?:"([^"]*)"|'([^']*)'|(-?\d+|null))$/;

/**
 * Stripe's search language, as far as it is about equality and numbers: `metadata["order"]:"5" AND -status:"canceled"`.
 * @param fields  the fields that can be searched, besides metadata
 * @throws ApiError 400 for anything else
 */
export function parseSearch(query: string, fields: readonly string[]): SearchCondition {
  const hasOr = /\sOR\s/i.test(query);
  if (hasOr && /\sAND\s/i.test(query))
    throw badParameter("query", "You cannot combine AND and OR in the same query.");
  const clauses = query.trim().split(hasOr ? /\s+OR\s+/i : /\s+AND\s+/i);
  if (clauses.length > clauses_max)
    throw badParameter("query", `A query has at most ${clauses_max} clauses.`);
  const conditions = clauses.map((text) => parseClause(text.trim(), fields));
  return (wire) =>
    hasOr
      ? conditions.some((condition) => condition(wire))
      : conditions.every((condition) => condition(wire));
}

function parseClause(text: string, fields: readonly string[]): SearchCondition {
  const match = clause.exec(text);
  if (match === null)
    throw badParameter(
      "query",
      `We were unable to parse your search query: ${text}. The simulator knows field:"value", metadata["key"]:"value", comparisons of numbers, - before a clause, and either AND or OR.`,
    );
  const isNegated = match[1] === "-";
  const key = match[2] ?? match[3];
  const field = match[4];
  const operator = match[5] ?? ":";
  const value = match[6] ?? match[7] ?? match[8] ?? "";
  if (field !== undefined && !fields.includes(field))
    throw badParameter("query", `Field \`${field}\` is an unsupported search field for this resource.`);
  const matches = comparison(operator, value);
  return (wire) => {
    const object = wire as Readonly<Record<string, unknown>>;
    const holder = key === undefined ? object : (object["metadata"] as Readonly<Record<string, unknown>>);
    return matches(holder[key ?? field ?? ""] ?? null) !== isNegated;
  };
}

function comparison(operator: string, value: string): (found: unknown) => boolean {
  const bound = Number(value);
  switch (operator) {
    case ">":
      return (found) => Number(found) > bound;
    case ">=":
      return (found) => Number(found) >= bound;
    case "<":
      return (found) => Number(found) < bound;
    case "<=":
      return (found) => Number(found) <= bound;
    default:
      return (found) => (typeof found === "number" ? found === bound : (found ?? "null") === value);
  }
}
