import { readMoney } from "../../amount-text.js";
import type { Money } from "../../../../kernel/money.js";
import type { Values } from "./elements.js";

/** The amount of a field that was checked when it was read; undefined where it is absent. */
export function moneyOf(values: Values, field: string): Money | undefined {
  const amount = values[field];
  const code = values[`${field}@Ccy`];
  if (amount === undefined || code === undefined) return undefined;
  const money = readMoney(amount, code);
  return money.ok ? money.value : undefined;
}

/** Amounts are unsigned; CdtDbtInd says whether the account grew. */
export function signed(money: Money, direction: string): Money {
  return direction === "DBIT" ? { currency: money.currency, minor: -money.minor } : money;
}
