import fc from "fast-check";
import { decideCredits } from "../../src/billing/core/index.js";
import type { CreditNote, Invoice, InvoiceLine, RecordedPortion } from "../../src/billing/index.js";
import type { DocumentSources } from "../../src/billing/invoicing/document-sources.js";
import type { DocumentSeller } from "../../src/documents/index.js";
import type { Currency } from "../../src/kernel/currency.js";
import { Decimal } from "../../src/kernel/decimal.js";
import type { InvoiceLineId } from "../../src/kernel/ids.js";
import { parseInstant, type Instant } from "../../src/kernel/instant.js";
import { toMoney } from "../../src/kernel/money.js";
import type { TimeZone } from "../../src/kernel/time-zone.js";
import type { TaxRate } from "../../src/tax/core/index.js";
import {
  creditNoteOf,
  draftedLine,
  emptyPortion,
  finalizedInvoice,
  type DraftedLine,
} from "./finalized-invoice.js";

const at = (text: string) => parseInstant(text)!;
export const june = { start: at("2026-05-31T22:00:00Z"), end: at("2026-06-30T22:00:00Z") };
const zone = "Europe/Berlin" as TimeZone;

const rate = (key: string, percent: string, more: Partial<TaxRate> = {}): TaxRate => ({
  key,
  name: "VAT",
  percent: Decimal.of(percent),
  inclusive: false,
  treatment: "taxed",
  ...more,
});

/** Rates that stand together on invoices: within a country, to a business abroad, to another continent. */
const rateSets: readonly (readonly TaxRate[])[] = [
  [
    rate("DE:standard:19", "19"),
    rate("txr_inclusive", "19", { inclusive: true }),
    rate("txr_reduced", "7"),
    rate("txr_zero", "0"),
    rate("txr_exempt", "0", { treatment: "exempt", note: "Exempt by § 4 No. 21 UStG" }),
  ],
  [rate("FI:standard:25.5", "25.5"), rate("txr_own", "25.5", { inclusive: true })],
  [rate("reverse_charge:FR", "0", { treatment: "reverse_charge" })],
  [rate("exempt:export", "0", { treatment: "exempt" })],
];

export const nimbus: DocumentSeller = {
  name: "Nimbus GmbH",
  address: { line1: "Torstraße 140", city: "Berlin", postalCode: "10119", country: "DE" },
  taxId: "DE123456788",
  registrationNumber: "HRB 12345 B",
  contactName: "Billing",
  phone: "+49 30 1234567",
  email: "billing@nimbus.example",
  iban: "DE02120300000000202051",
  bic: "BYLADEM1001",
  timeZone: zone,
};

const portion = (more: Partial<RecordedPortion>): RecordedPortion =>
  emptyPortion(june, { events: 1, ...more });

const drafted = (gross: bigint, net: bigint, taxRate: TaxRate, more: Partial<InvoiceLine>): DraftedLine =>
  draftedLine(june, { gross, net, rate: taxRate }, more);

const decimal = (unscaled_max: bigint, scale_max: number) =>
  fc
    .tuple(fc.bigInt({ min: 0n, max: unscaled_max }), fc.nat(scale_max))
    .map(([unscaled, scale]) => Decimal.fromUnscaled(unscaled, scale));

/** A line of usage at a unit price with allowance and discount, or of an amount of any sign. */
function arbitraryLine(currency: Currency, rates: readonly TaxRate[]): fc.Arbitrary<DraftedLine> {
  const ofRate = fc.constantFrom(...rates);
  const usage = fc
    .record({
      rate: ofRate,
      quantity: decimal(10n ** 9n, 6),
      taken: decimal(1_000n, 0),
      unitAmount: decimal(10n ** 6n, 6),
      per: fc.constantFrom("1", "1000", "1000000").map((text) => Decimal.of(text)),
      off: fc.constantFrom("0", "10", "33.3"),
    })
    .map(({ rate: of, quantity, taken: allowance, unitAmount, per, off }) => {
      const taken = Decimal.min(quantity, allowance);
      const exact = quantity.minus(taken).times(unitAmount).dividedBy(per, 24, "half-away");
      const gross = toMoney(exact, currency).minor;
      const left = Decimal.of(100).minus(Decimal.of(off));
      const net = toMoney(exact.times(left).dividedBy(Decimal.of(100), 24, "half-away"), currency).minor;
      const model = { kind: "per_unit", unitAmount, per } as const;
      const percentsOff = off === "0" ? [] : [Decimal.of(off)];
      const portions = [portion({ model, quantity, taken, percentsOff, gross: exact, net: exact })];
      return drafted(gross, net, of, { quantity, portions });
    });
  const amount = fc
    .record({ rate: ofRate, minor: fc.bigInt({ min: -(10n ** 5n), max: 10n ** 7n }), units: fc.nat(5) })
    .map(({ rate: of, minor, units }) =>
      drafted(minor, minor, of, {
        isCorrection: minor < 0n,
        ...(units === 0 ? {} : { quantity: Decimal.of(units) }),
      }),
    );
  return fc.oneof(usage, amount);
}

export interface InvoiceAndNote {
  readonly sources: DocumentSources;
  /** Gives back parts of some lines; undefined where nothing can be given back. */
  readonly note: CreditNote | undefined;
}

/** Finalized invoices as billing assembles them, and credit notes of them. */
export const arbitraryInvoice: fc.Arbitrary<InvoiceAndNote> = fc
  .record({
    currency: fc.constantFrom("EUR", "EUR", "USD", "JPY").map((code) => code as Currency),
    rates: fc.constantFrom(...rateSets),
    promotional: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 10n ** 6n })),
    paid: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 10n ** 6n })),
    balance: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 10n ** 6n })),
    locale: fc.constantFrom("en", "de-DE", "fr"),
    given: fc.array(fc.nat(100), { maxLength: 3 }),
  })
  .chain((of) =>
    fc
      .array(arbitraryLine(of.currency, of.rates), { minLength: 1, maxLength: 12 })
      .map((lines): InvoiceAndNote => {
        const sources = sourcesOf(lines, of);
        return { sources, note: noteOf(sources.invoice, of.given) };
      }),
  );

interface Circumstances {
  readonly currency: Currency;
  readonly rates: readonly TaxRate[];
  readonly promotional: bigint;
  readonly paid: bigint;
  readonly balance: bigint;
  readonly locale: string;
}

function sourcesOf(lines: readonly DraftedLine[], of: Circumstances): DocumentSources {
  const { currency, locale, promotional, paid, balance } = of;
  const treatment = of.rates[0]?.treatment;
  const country = treatment === "reverse_charge" ? "FR" : treatment === "exempt" ? "US" : "DE";
  const issued = at("2026-07-01T22:30:00Z");
  return finalizedInvoice({
    period: june,
    currency,
    timeZone: zone,
    lines: lines.map((line, index) => ({ ...line, id: `il_${index}` as InvoiceLineId })),
    funds: { promotional, paid, balance },
    locale,
    buyer: {
      name: "Acme & Söhne",
      email: "ap@acme.example",
      address: { line1: "Weg 1", city: "Ort", postalCode: "12345", country },
      taxId: country === "FR" ? "FR32123456789" : undefined,
      buyerReference: "04011000-12345-34",
    },
    seller: nimbus,
    plan: "Scale",
    at: issued,
    paymentDueAt: (issued + 14 * 86_400_000_000) as Instant,
  });
}

function noteOf(invoice: Invoice, given: readonly number[]): CreditNote | undefined {
  const creditable = invoice.lines.filter(({ taxable }) => taxable > 0n);
  const requests = [...new Set(given)].flatMap((percent, index) => {
    const line = creditable[index];
    const minor = line === undefined ? 0n : (line.taxable * BigInt(percent)) / 100n;
    return line === undefined || minor === 0n ? [] : [{ line: line.id as string, minor }];
  });
  const decision = decideCredits(
    creditable.map(({ id, taxable, tax }) => ({ id, taxable, tax, creditedNet: 0n, creditedTax: 0n })),
    requests,
  );
  if (!decision.ok || decision.lines.length === 0) return undefined;
  const lines = decision.lines.map((line) => ({ ...line, line: line.line as InvoiceLineId }));
  return creditNoteOf(invoice, lines, {
    voids: false,
    reason: "An outage",
    toBalance: 0n,
    createdAt: (invoice.boundary + 40 * 86_400_000_000) as Instant,
  });
}
