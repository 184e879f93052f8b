import type { Account } from "../account.js";
import { refundsOfCharge } from "../objects/refunds.js";
import { badParameter } from "./api-error.js";
import { findWire } from "./find-object.js";
import type { Parameters } from "./parameters.js";

const depth_max = 4;
const paths_max = 20;

/** The fields that hold an id which `expand[]` replaces by its object; and `refunds`, which a charge has only then. */
const expandable = new Set([
  "balance_transaction",
  "charge",
  "customer",
  "default_payment_method",
  "failure_balance_transaction",
  "latest_charge",
  "payment_intent",
  "payment_method",
  "refunds",
  "setup_intent",
  "source",
]);

type Wire = Record<string, unknown>;

/**
 * The paths of `expand[]`, checked before anything is carried out.
 * @throws ApiError 400 for a path that leads to nothing that can be expanded
 */
export function readExpand(params: Parameters): readonly string[] {
  const paths = params.texts("expand") ?? [];
  if (paths.length > paths_max)
    throw badParameter("expand", `You can expand at most ${paths_max} properties.`);
  for (const path of paths) {
    const steps = path.split(".");
    if (steps.length > depth_max + 1)
      throw badParameter("expand", `You cannot expand more than ${depth_max} levels of a property: ${path}`);
    if (!expandable.has(steps.at(-1) ?? ""))
      throw badParameter("expand", `This property cannot be expanded (${path}).`);
  }
  return paths;
}

/**
 * A copy of an object in which the named fields hold objects in place of their ids.
 * @param paths  as in `expand[]`: "latest_charge.balance_transaction", and for lists "data.customer"
 */
export function expand(account: Account, object: object, paths: readonly string[]): object {
  let expanded = object as Wire;
  for (const path of paths) expanded = expandPath(account, expanded, path.split("."));
  return expanded;
}

function expandPath(account: Account, object: Wire, steps: readonly string[]): Wire {
  const [step, ...rest] = steps;
  if (step === undefined) return object;
  if (step === "refunds" && object["object"] === "charge")
    return { ...object, refunds: refundsOfCharge(account, String(object["id"])) };
  const value = object[step];
  if (Array.isArray(value))
    return { ...object, [step]: value.map((item) => expandPath(account, item as Wire, rest)) };
  if (typeof value === "object" && value !== null)
    return { ...object, [step]: expandPath(account, value as Wire, rest) };
  if (typeof value !== "string" || !expandable.has(step)) return object;
  const found = findWire(account, value);
  return found === undefined ? object : { ...object, [step]: expandPath(account, { ...found }, rest) };
}
