import { readFileSync } from "node:fs";
import path from "node:path";
import { pdsName, type IpmMessage } from "../../src/settlement/core/formats/mastercard-ipm/index.js";
import type { FileSummary } from "../../src/settlement/core/index.js";
import { formatMoney } from "../../src/kernel/money.js";
import { isRecord } from "./rating-case.js";

/**
 * What a file beside a settlement file says of it: the messages of an IPM file as they are to be taken apart, one by one or the one that
 * all of them are, or parts of the summary of any file.
 */
export interface Expectation {
  readonly name: string;
  /** Compares one message; gives what differs. Only for IPM. */
  readonly onMessage?: (message: IpmMessage) => void;
  /** What differed, once the file was read. */
  differences(summary: FileSummary): readonly string[];
}

const differences_max = 10;

/** "synthetic_expected.json" belongs to the files of its folder that begin with "synthetic". */
const expectation_name = /^(.+?)[._-]expected([._-].*)?\.json$/i;

/** The expectation that lies beside a file: the one whose name shares most with it. @throws UnreadableExpectation */
export function expectationOf(file: string, siblings: readonly string[]): Expectation | undefined {
  const name = path.basename(file);
  const [best] = siblings
    .map((sibling) => ({ sibling, stem: expectation_name.exec(sibling)?.[1] }))
    .filter(({ stem }) => stem !== undefined && name.startsWith(stem))
    .sort((one, other) => (other.stem?.length ?? 0) - (one.stem?.length ?? 0));
  if (best === undefined) return undefined;
  return makeExpectation(best.sibling, readJson(path.join(path.dirname(file), best.sibling)));
}

/** An expectation that cannot be understood: its file fails. */
export class UnreadableExpectation extends Error {
  override readonly name = "UnreadableExpectation";
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UnreadableExpectation(`${path.basename(file)} cannot be read: ${(error as Error).message}`);
  }
}

/** @throws UnreadableExpectation when it is neither of the two kinds */
export function makeExpectation(name: string, json: unknown): Expectation {
  if (Array.isArray(json) && json.every(isMessage)) return expectMessages(name, json, true);
  if (isMessage(json)) return expectMessages(name, [json], false);
  if (isRecord(json)) return expectSummary(name, json);
  throw new UnreadableExpectation(`${name} holds neither messages nor parts of a summary`);
}

type ExpectedMessage = Readonly<Record<string, unknown>> & { readonly MTI: string };

function isMessage(json: unknown): json is ExpectedMessage {
  return isRecord(json) && typeof json["MTI"] === "string";
}

/** @param oneByOne  whether each message has its own expectation, or all the first */
function expectMessages(name: string, messages: readonly ExpectedMessage[], oneByOne: boolean): Expectation {
  const differences: string[] = [];
  let seen = 0;
  return {
    name,
    onMessage: (message) => {
      const expected = messages[oneByOne ? seen : 0];
      seen += 1;
      if (expected === undefined || differences.length >= differences_max) return;
      for (const difference of messageDifferences(message, expected)) {
        differences.push(`message ${message.number}: ${difference}`);
      }
    },
    differences: () => {
      const counted = oneByOne ? messages.length : Math.max(1, seen);
      return seen === counted
        ? differences
        : [`${messages.length} messages expected, ${seen} found`, ...differences];
    },
  };
}

function messageDifferences(message: IpmMessage, expected: ExpectedMessage): string[] {
  const found = asExpected(message);
  const fields = new Set([...Object.keys(found), ...Object.keys(expected)]);
  const differences: string[] = [];
  for (const field of fields) {
    const want = expected[field];
    const got = typeof want === "number" ? Number(found[field] ?? Number.NaN) : found[field];
    if (want === got) continue;
    // DE2 is a card number: what differs is said without it.
    const shown = field === "DE2" ? "another card number" : JSON.stringify(got);
    differences.push(
      `${field} is ${shown}, expected ${field === "DE2" ? "the other" : JSON.stringify(want)}`,
    );
  }
  return differences;
}

/** A message as such files write it: DE12 as a date and time, and the parts of DE43 under names of their own. */
function asExpected(message: IpmMessage): Record<string, string> {
  const fields: Record<string, string> = { MTI: message.type };
  for (const element of message.present) fields[`DE${element}`] = message.element(element) ?? "";
  for (const [number, value] of message.subelements()) fields[pdsName(number)] = value;
  const time = fields["DE12"];
  if (time !== undefined) {
    fields["DE12"] = time.replace(/^(..)(..)(..)(..)(..)(..)$/, "20$1-$2-$3 $4:$5:$6");
  }
  return { ...fields, ...placeOf(fields["DE43"]) };
}

/** NAME\ADDRESS\SUBURB\ and then postcode 10, state 3, country 3. */
function placeOf(text: string | undefined): Record<string, string> {
  const parts = text?.split("\\");
  if (parts?.length !== 4) return {};
  const [name = "", address = "", suburb = "", rest = ""] = parts;
  return {
    DE43_NAME: name.trim(),
    DE43_ADDRESS: address.trim(),
    DE43_SUBURB: suburb.trim(),
    DE43_POSTCODE: rest.slice(0, 10).trim(),
    DE43_STATE: rest.slice(10, 13),
    DE43_COUNTRY: rest.slice(13, 16),
  };
}

/** Parts of a summary: format, records, kinds by name, totals by currency as "12.50", failed checks as a number. */
function expectSummary(name: string, expected: Readonly<Record<string, unknown>>): Expectation {
  return {
    name,
    differences: (summary) => {
      const found: Readonly<Record<string, unknown>> = {
        format: summary.format,
        records: summary.records,
        kinds: summary.kinds,
        totals: Object.fromEntries(
          summary.totals.map(({ currency, gross }) => [
            currency,
            formatMoney({ currency, minor: gross }).replace(/ .*$/, ""),
          ]),
        ),
        failed_checks: summary.checks.filter(({ ok }) => !ok).length,
        refused_rows: summary.refusedRows.length,
      };
      return Object.entries(expected).flatMap(([part, want]) => {
        if (!Object.hasOwn(found, part))
          return [`"${part}" is no part of a summary: ${Object.keys(found).join(", ")}`];
        const got = found[part];
        return canonical(got) === canonical(want)
          ? []
          : [`${part} is ${canonical(got)}, expected ${canonical(want)}`];
      });
    },
  };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    isRecord(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}
