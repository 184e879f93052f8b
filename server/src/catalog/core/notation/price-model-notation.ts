import { canonicalJson, type JsonValue } from "../../../kernel/json.js";
import {
  CodecFault,
  findPriceModelFaults,
  parsePriceModel,
  priceModelKinds,
  priceModelToJson,
  type AnyPriceModel,
} from "../../../rating/core/index.js";
import type { CatalogFaults } from "../fault.js";
import { didYouMean } from "./did-you-mean.js";
import { isMapping } from "./mapping-reader.js";
import { kindOf, scalarText } from "./number-text.js";

/*
 * A price model as people write it: one name that says which, and its fields.
 *
 *     graduated: {per: 1000000, tiers: [{upTo: 1000000, unitAmount: "3"}, {unitAmount: "1.8"}]}
 *     perUnit: "0.05"
 *
 * What models there are and which fields they have is known to rating's codecs alone; a model inside another
 * (`converted`, `windowed`) is written the same way.
 */

const notationNames = new Map<string, string>(priceModelKinds.map((kind) => [camelCase(kind), kind]));

/** How the models are called in the notation: flat, perUnit, graduated … */
export const priceModelNames: readonly string[] = [...notationNames.keys()];

/** A model with one amount that says it all may be written as that amount. */
const loneFields: Readonly<Record<string, string>> = {
  flat: "amount",
  per_unit: "unitAmount",
  dynamic: "multiplier",
};

const corrections_max = 2000;

/** Reads `{graduated: {…}}`; `{kind: "graduated", …}` is read as well. */
export function readPriceModel(value: unknown, faults: CatalogFaults): AnyPriceModel | undefined {
  const named = namedModel(value);
  if (named === undefined) {
    refuseModel(value, faults);
    return undefined;
  }
  return parseCorrecting(named, faults);
}

function refuseModel(value: unknown, faults: CatalogFaults): void {
  const [[name, body] = ["", undefined], ...more] = isMapping(value) ? Object.entries(value) : [];
  const kind = notationNames.get(name);
  if (kind === undefined || more.length > 0)
    faults.add("", `must be one model, such as {perUnit: "0.05"}, not ${kindOf(value)}; ${modelsThereAre()}`);
  else
    faults.add(
      name,
      `must be ${loneFields[kind] === undefined ? "" : "an amount, or "}a mapping of its fields, not ${kindOf(body)}`,
    );
}

interface NamedModel {
  readonly json: Json;
  /** Where the model's fields stand in the notation: ["graduated"], or [] for the form with a kind. */
  readonly place: string;
}

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** The model that one name of a mapping stands for. */
function namedModel(value: unknown): NamedModel | undefined {
  if (!isMapping(value)) return undefined;
  if (typeof value["kind"] === "string") return { json: plain(value), place: "" };
  const [[name, body] = ["", undefined], ...more] = Object.entries(value).filter(([, item]) => item != null);
  const kind = notationNames.get(name);
  if (kind === undefined || more.length > 0) return undefined;
  const lone = loneFields[kind];
  const text = scalarText(body);
  if (text !== undefined)
    return lone === undefined ? undefined : { json: { kind, [lone]: text }, place: name };
  return isMapping(body) ? { json: { kind, ...(plain(body) as object) }, place: name } : undefined;
}

/** Numbers as they were written, and nothing that is null. */
function plain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (isMapping(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
  }
  return scalarText(value) ?? (typeof value === "boolean" ? value : kindOf(value));
}

/**
 * Parses a model; what the codec refuses is noted, put right, and parsed again, so that one reading finds every fault
 * of the form and what is wrong with the values besides.
 */
function parseCorrecting(root: NamedModel, faults: CatalogFaults): AnyPriceModel | undefined {
  const model = { json: root.json };
  // Where a nested model's fields stand in the notation, by where the codec sees them.
  const places = new Map([["", root.place]]);
  const faulty = new Set<string>();
  for (let corrections = 0; corrections < corrections_max; corrections += 1) {
    try {
      const parsed = parsePriceModel(model.json);
      if (faulty.size === 0) return parsed;
      // Its values are looked at too, but for those that were put in here.
      for (const { field, message } of findPriceModelFaults(parsed)) {
        const place = placeOf(places, field);
        if (!faulty.has(place)) faults.add(place, message);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof CodecFault)) throw error;
      const steps = stepsOf(error.at);
      const found = valueAt(model.json, steps);
      if (error.expected === "a whole number" && typeof found === "string" && /^-?\d{1,15}$/.test(found)) {
        setAt(model, steps, Number(found));
        continue;
      }
      if (steps.at(-1) === "kind" && found === undefined) {
        const above = steps.slice(0, -1);
        const nested = namedModel(valueAt(model.json, above));
        if (nested !== undefined) {
          setAt(model, above, nested.json);
          const at = textOf(above);
          places.set(at, join(placeOf(places, at), nested.place));
          continue;
        }
      }
      const place = placeOf(places, error.at);
      faulty.add(place);
      faults.add(place, messageOf(error, found));
      if (error.known !== undefined) removeAt(model, steps);
      else if (error.expected.startsWith("a decimal number")) setAt(model, steps, "1");
      else return undefined;
    }
  }
  faults.add(root.place, "too much is wrong with it to read on");
  return undefined;
}

function messageOf(fault: CodecFault, found: Json | undefined): string {
  const name = stepsOf(fault.at).at(-1) ?? "";
  if (fault.known !== undefined)
    return `there is no such field; ${didYouMean(
      String(name),
      fault.known.filter((one) => one !== "kind"),
    )}`;
  if (name === "kind") return `must be one model, such as {perUnit: "0.05"}; ${modelsThereAre()}`;
  const expected = fault.expected.replace(" as text", "");
  return found === undefined ? `is missing: ${expected}` : `must be ${expected}, not ${kindOf(found)}`;
}

function modelsThereAre(): string {
  return `there is: ${priceModelNames.join(", ")}`;
}

/** The path in the notation of a path that the codec names, below the model. */
function placeOf(places: ReadonlyMap<string, string>, at: string): string {
  let best = "";
  for (const prefix of places.keys()) {
    const inside =
      prefix === "" || at === prefix || at.startsWith(`${prefix}.`) || at.startsWith(`${prefix}[`);
    if (inside && prefix.length >= best.length) best = prefix;
  }
  const rest = at.slice(best.length).replace(/^\./, "");
  return join(places.get(best) ?? "", rest);
}

/**
 * The path in the notation of one of the fields that `findPriceModelFaults` names, for a model that was written in it.
 */
export function placeOfModelField(model: AnyPriceModel, field: string): string {
  const places = new Map<string, string>();
  let json: Json | undefined = priceModelToJson(model as never) as Json;
  let at = "";
  let place = "";
  while (isMapping(json) && typeof json["kind"] === "string" && isModelKind(json["kind"])) {
    place = join(place, camelCase(json["kind"]));
    places.set(at, place);
    json = (json as Record<string, Json>)["price"];
    at = join(at, "price");
    place = join(place, "price");
  }
  return placeOf(places, field);
}

/** A model in the notation, whole: what may be left out is there too. */
export function writePriceModel(model: AnyPriceModel): Readonly<Record<string, JsonValue>> {
  return notationOf(priceModelToJson(model as never)) as Readonly<Record<string, JsonValue>>;
}

/** A model as briefly as it can be written. */
export function writePriceModelBriefly(model: AnyPriceModel): Readonly<Record<string, JsonValue>> {
  const whole = priceModelToJson(model as never) as JsonValue;
  const brief = briefly(whole);
  const notation = saysTheSame(brief, whole) ? notationOf(brief, true) : notationOf(whole);
  return notation as Readonly<Record<string, JsonValue>>;
}

function saysTheSame(brief: JsonValue, whole: JsonValue): boolean {
  try {
    return (
      canonicalJson(priceModelToJson(parsePriceModel(brief) as never) as JsonValue) === canonicalJson(whole)
    );
  } catch (error) {
    if (error instanceof CodecFault) return false;
    throw error;
  }
}

/** What codecs put in by themselves (see `defaulted`), whichever the model; whether it still says the same is checked. */
const usual: Readonly<Record<string, readonly JsonValue[]>> = {
  per: ["1"],
  unitAmount: ["0"],
  flatAmount: ["0"],
  rounding: ["up", "none"],
  precision: [0],
};

function briefly(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(briefly);
  if (!isMapping(json)) return json;
  const entries = Object.entries(json as Readonly<Record<string, JsonValue>>);
  const kept = entries.filter(([key, item]) => usual[key]?.includes(item) !== true);
  // A tier without amounts would be an empty mapping: that it costs nothing is worth a word.
  const lone =
    json["kind"] === "per_unit" || kept.length === 0 ? entries.filter(([key]) => key === "unitAmount") : [];
  return Object.fromEntries([...kept, ...lone].map(([key, item]) => [key, briefly(item)]));
}

/** @param lone  whether a model with one amount that says it all is written as that amount */
function notationOf(json: JsonValue, lone = false): JsonValue {
  if (Array.isArray(json)) return json.map((item: JsonValue) => notationOf(item, lone));
  if (!isMapping(json)) return json;
  const { kind, ...rest } = json as Readonly<Record<string, JsonValue>>;
  const fields = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, notationOf(item, lone)]));
  if (kind === undefined) return fields;
  if (typeof kind !== "string" || !isModelKind(kind)) return { kind, ...fields };
  const field = loneFields[kind];
  const only = field === undefined || Object.keys(fields).join() !== field ? undefined : fields[field];
  return { [camelCase(kind)]: lone && only !== undefined ? only : fields };
}

function isModelKind(kind: string): boolean {
  return (priceModelKinds as readonly string[]).includes(kind);
}

function camelCase(kind: string): string {
  return kind.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

type Step = string | number;

/** "tiers[2].upTo" → tiers, 2, upTo */
function stepsOf(at: string): Step[] {
  return [...at.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name]) =>
    index === undefined ? (name ?? "") : Number(index),
  );
}

function textOf(steps: readonly Step[]): string {
  return steps.reduce<string>(
    (at, step) => (typeof step === "number" ? `${at}[${step}]` : join(at, step)),
    "",
  );
}

function join(at: string, rest: string): string {
  if (at === "" || rest === "") return `${at}${rest}`;
  return rest.startsWith("[") ? `${at}${rest}` : `${at}.${rest}`;
}

function valueAt(json: Json | undefined, steps: readonly Step[]): Json | undefined {
  let here = json;
  for (const step of steps) {
    if (here === null || typeof here !== "object") return undefined;
    here = Object.hasOwn(here, step) ? (here as Record<Step, Json>)[step] : undefined;
  }
  return here;
}

function setAt(model: { json: Json }, steps: readonly Step[], value: Json): void {
  const last = steps.at(-1);
  if (last === undefined) {
    model.json = value;
    return;
  }
  const above = valueAt(model.json, steps.slice(0, -1));
  if (above !== null && typeof above === "object") (above as Record<Step, Json>)[last] = value;
}

function removeAt(model: { json: Json }, steps: readonly Step[]): void {
  const above = valueAt(model.json, steps.slice(0, -1));
  const last = steps.at(-1);
  if (above !== null && typeof above === "object" && last !== undefined)
    delete (above as Record<Step, Json>)[last];
}
