import { Decimal } from "../../kernel/decimal.js";
import type { Instant } from "../../kernel/instant.js";
import {
  parsePriceModel,
  priceModelToJson,
  ratedPartFromJson,
  ratedPartToJson,
  type AnyPriceModel,
  type RatedPartJson,
} from "../../rating/core/index.js";
import type { ChargeKind } from "../../catalog/core/index.js";
import type { DayRange, RatedPortion } from "../core/index.js";

/** A rated portion as a line keeps it: its model only where it is not the price's own. */
export interface RecordedPortion extends Omit<RatedPortion, "model"> {
  readonly model: AnyPriceModel | undefined;
}

/** In JSON: decimals as text, instants as microseconds, what is empty left out. */
export interface RecordedPortionJson {
  readonly charge: ChargeKind;
  readonly spans: readonly (readonly [number, number])[];
  readonly model?: unknown;
  readonly share?: { readonly days: readonly DayRange[]; readonly of: number };
  readonly held?: readonly (DayRange & { readonly quantity: string })[];
  readonly included?: string;
  readonly percentsOff?: readonly string[];
  readonly quantity: string;
  readonly taken?: string;
  readonly events: number;
  readonly parts: readonly RatedPartJson[];
  readonly gross: string;
  readonly net?: string;
}

export function portionToJson(portion: RecordedPortion): RecordedPortionJson {
  const { charge, spans, model, share, held, included, percentsOff, quantity, taken, events } = portion;
  const gross = portion.gross.toString();
  return {
    charge,
    spans: spans.map(({ start, end }) => [start, end] as const),
    ...(model === undefined ? {} : { model: priceModelToJson(model) }),
    ...(share === undefined ? {} : { share }),
    ...(held === undefined
      ? {}
      : { held: held.map(({ from, to, quantity: units }) => ({ from, to, quantity: units.toString() })) }),
    ...(included.isZero() ? {} : { included: included.toString() }),
    ...(percentsOff.length === 0 ? {} : { percentsOff: percentsOff.map(String) }),
    quantity: quantity.toString(),
    ...(taken.isZero() ? {} : { taken: taken.toString() }),
    events,
    parts: portion.parts.map(ratedPartToJson),
    gross,
    ...(percentsOff.length === 0 ? {} : { net: portion.net.toString() }),
  };
}

/** Reads back what `portionToJson` wrote. @throws RangeError when it is something else */
export function portionFromJson(json: RecordedPortionJson): RecordedPortion {
  const decimal = (text: string | undefined) => (text === undefined ? Decimal.zero : Decimal.of(text));
  return {
    charge: json.charge,
    spans: json.spans.map(([start, end]) => ({ start: start as Instant, end: end as Instant })),
    model: json.model === undefined ? undefined : parsePriceModel(json.model),
    share: json.share,
    held: json.held?.map(({ from, to, quantity }) => ({ from, to, quantity: Decimal.of(quantity) })),
    included: decimal(json.included),
    percentsOff: (json.percentsOff ?? []).map((percent) => Decimal.of(percent)),
    quantity: Decimal.of(json.quantity),
    taken: decimal(json.taken),
    events: json.events,
    parts: json.parts.map((part) => ratedPartFromJson(part)),
    gross: Decimal.of(json.gross),
    net: Decimal.of(json.net ?? json.gross),
  };
}
