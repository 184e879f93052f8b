import { makeProblem, Refusal } from "../kernel/problem.js";
import { event_types, faultOfUrl, hostOf, isPattern } from "./core/index.js";
import type { EndpointInput } from "./endpoint.js";
import { endpoint_concurrency_max } from "./lane.js";
import { AddressRefused } from "./resolve-addresses.js";
import type { Sender } from "./sender.js";

/** What an endpoint is made of, checked. */
export interface EndpointTerms {
  readonly url: string;
  readonly description: string | undefined;
  readonly eventTypes: readonly string[];
  readonly concurrencyMax: number;
  readonly ratePerSecondMax: number;
}

export const standard_terms = { concurrencyMax: 5, ratePerSecondMax: 100 } as const;
const rate_max = 1_000;
const patterns_max = 100;
const description_length_max = 512;
// A name that cannot be looked up now may be there later: each attempt looks again.
const look_up_ms_max = 3_000;

interface Fault {
  readonly field: string;
  readonly message: string;
}

/**
 * @param standing  what is kept of what is not given; a new endpoint has nothing yet
 * @throws Refusal 400 listing every fault by field
 */
export async function checkEndpoint(
  input: EndpointInput,
  standing: EndpointTerms | undefined,
  on: { readonly sender: Sender; readonly allowPrivate: boolean },
): Promise<EndpointTerms> {
  const terms = { ...standard_terms, url: "", eventTypes: [], ...standing, ...input };
  const url = terms.url.trim();
  const description = terms.description === "" ? undefined : terms.description;
  const eventTypes = [...new Set(terms.eventTypes)];
  const faults = [
    ...faultsOfTypes(eventTypes),
    ...faultOf(
      "description",
      description !== undefined && description.length > description_length_max,
      `at most ${description_length_max} characters`,
    ),
    ...faultOf(
      "concurrencyMax",
      !isWhole(terms.concurrencyMax, endpoint_concurrency_max),
      `a whole number from 1 to ${endpoint_concurrency_max}`,
    ),
    ...faultOf(
      "ratePerSecondMax",
      !isWhole(terms.ratePerSecondMax, rate_max),
      `a whole number from 1 to ${rate_max}`,
    ),
  ];
  const wrong =
    faultOfUrl(url, on) ?? (url === standing?.url ? undefined : await faultOfAddress(url, on.sender));
  if (wrong !== undefined) faults.push({ field: "url", message: wrong });
  if (faults.length > 0) throw invalid(faults);
  const { concurrencyMax, ratePerSecondMax } = terms;
  return { url, description, eventTypes, concurrencyMax, ratePerSecondMax };
}

async function faultOfAddress(url: string, sender: Sender): Promise<string | undefined> {
  const late = new Promise<undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), look_up_ms_max);
    timer.unref();
  });
  try {
    await Promise.race([sender.addressesOf(hostOf(new URL(url))), late]);
    return undefined;
  } catch (error) {
    return error instanceof AddressRefused ? error.message : undefined;
  }
}

function faultsOfTypes(patterns: readonly string[]): Fault[] {
  const field = "eventTypes";
  if (patterns.length === 0)
    return [{ field, message: 'name at least one, such as "invoice.finalized", or "*" for all' }];
  if (patterns.length > patterns_max) return [{ field, message: `at most ${patterns_max}` }];
  const known = Object.keys(event_types).join(", ");
  return patterns
    .filter((pattern) => !isPattern(pattern))
    .map((pattern) => ({
      field,
      message: `"${pattern.slice(0, 64)}" is no event type; there are ${known}, wildcards such as invoice.*, and *`,
    }));
}

function faultOf(field: string, isWrong: boolean, message: string): Fault[] {
  return isWrong ? [{ field, message }] : [];
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max;
}

function invalid(errors: readonly Fault[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(
    makeProblem("invalid-webhook-endpoint", 400, "The webhook endpoint is not valid", detail, { errors }),
  );
}
