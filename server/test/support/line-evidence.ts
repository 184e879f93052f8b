import type { PlainEvent } from "./plain-metering.js";
import type { ModelNotation } from "./plain-rating.js";
import type { PlayedScenario } from "./played-scenario.js";

export interface PortionEvidence {
  readonly spans: readonly { readonly start: string; readonly end: string }[];
  readonly quantity: string;
  readonly includedTaken: string;
  readonly discountPercents: readonly string[];
  readonly gross: string;
  readonly net: string;
}

/** A line's explanation as anyone may ask for it, with all of its events. */
export interface LineEvidence {
  readonly name: string;
  readonly timeZone: string;
  readonly reproduced: boolean;
  readonly price: {
    readonly key: string;
    readonly charge: string;
    readonly prorated: boolean;
    readonly included: string | null;
    readonly meter: string | null;
    readonly model: ModelNotation;
  } | null;
  readonly meter: { readonly aggregation: string } | null;
  readonly adjustment: { readonly kind: string; readonly agreed: string; readonly base: string } | null;
  readonly billedBefore: { readonly minor: string };
  readonly money: { readonly minor: string };
  readonly recorded: {
    readonly quantity: string | null;
    readonly eventCount: number;
    readonly amount: string;
    readonly money: { readonly minor: string };
    readonly portions: readonly PortionEvidence[];
  };
  readonly events: readonly PlainEvent[];
}

interface EventPage {
  readonly nodes: readonly PlainEvent[];
  readonly endCursor: string | null;
}

/** @param page  how many events are asked for at once */
export async function explainedLine(
  { operations }: Pick<PlayedScenario, "operations">,
  { invoice, line, page }: { readonly invoice: string; readonly line: string; readonly page: number },
): Promise<LineEvidence> {
  const ask = async <T>(fields: string) => {
    const { lineExplanation } = await operations.ask<{ lineExplanation: T }>(
      `{ lineExplanation(invoice: "${invoice}", line: "${line}") { ${fields} } }`,
    );
    return lineExplanation;
  };
  const eventsAfter = (after: string | null) =>
    `events(first: ${page}${after === null ? "" : `, after: "${after}"`}) { nodes { time subject data } endCursor }`;
  const { events: first, ...why } = await ask<Omit<LineEvidence, "events"> & { events: EventPage }>(`
    name timeZone reproduced adjustment billedBefore { minor } money { minor } meter { aggregation }
    price { key charge prorated included meter model }
    recorded { quantity eventCount amount money { minor }
      portions { spans { start end } quantity includedTaken discountPercents gross net } }
    ${eventsAfter(null)}`);
  const events = [...first.nodes];
  for (let after = first.endCursor; after !== null; ) {
    const next = await ask<{ events: EventPage }>(eventsAfter(after));
    events.push(...next.events.nodes);
    after = next.events.endCursor;
  }
  return { ...why, events };
}
