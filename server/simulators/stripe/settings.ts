/** What can be set of an account; times are milliseconds of simulated time. */
export interface SimulatorSettings {
  readonly fees: {
    /** Hundredths of a percent of what a charge settles as. */
    readonly basisPoints: number;
    /** On top, in minor units of the currency it settles in. */
    readonly fixed: number;
    /** What a dispute costs, in minor units of the currency it settles in. */
    readonly dispute: number;
    /** Whether a dispute's fee comes back when it is won. */
    readonly isDisputeFeeReturned: boolean;
  };
  /**
   * The currencies that the account keeps a balance in: what is charged in another is exchanged into the first.
   * Undefined: every currency has a balance of its own.
   */
  readonly settlementCurrencies: readonly string[] | undefined;
  /** Rates as decimal text, by "from/to" in lower case: what one unit of the first is in the second. */
  readonly exchangeRates: Readonly<Record<string, string>>;
  readonly delays: {
    /** From a charge until it is available. */
    readonly available_ms: number;
    /** From a charge until it has its balance transaction, which Stripe may make later ("automatic_async"). */
    readonly balanceTransaction_ms: number;
    /** From confirming a bank debit to its outcome. */
    readonly processing_ms: number;
    /** From a charge of a card that disputes to its dispute. */
    readonly dispute_ms: number;
    /** From evidence to the bank's decision. */
    readonly disputeDecision_ms: number;
    /** From a dispute to the end of the time for evidence. */
    readonly disputeEvidence_ms: number;
    /** From a refund to its success, or to its failure, where the card makes that happen later. */
    readonly refund_ms: number;
    /** From a payout to its arrival. */
    readonly payout_ms: number;
    /** From a payment intent to its being found by a search: on Stripe, minutes. */
    readonly search_ms: number;
    /** From an event to the first delivery of its webhook. */
    readonly webhook_ms: number;
  };
  /** How often everything that is available is paid out; undefined: only by hand. */
  readonly payoutEvery_ms: number | undefined;
  /** Whether a card that declines is refused when it is attached, as on Stripe; otherwise only when it is charged. */
  readonly declinesOnAttach: boolean;
  /** Whether amounts below Stripe's least are refused. */
  readonly hasMinimumAmounts: boolean;
  readonly limits: {
    /** Of each kind: customers, payment intents, charges, … */
    readonly objects_max: number;
    readonly events_max: number;
    readonly idempotencyKeys_max: number;
    /** Webhooks that wait to be delivered; what is more is lost. */
    readonly deliveries_max: number;
    readonly faults_max: number;
    /** Of the journal: when it is full, nothing is done any more but what is due. */
    readonly journalBytes_max: number;
  };
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export const settings_default: SimulatorSettings = {
  fees: { basisPoints: 290, fixed: 30, dispute: 1_500, isDisputeFeeReturned: false },
  settlementCurrencies: undefined,
  exchangeRates: {},
  delays: {
    available_ms: 2 * day,
    balanceTransaction_ms: 0,
    processing_ms: 10 * second,
    dispute_ms: second,
    disputeDecision_ms: 5 * second,
    disputeEvidence_ms: 9 * day,
    refund_ms: 5 * second,
    payout_ms: day,
    search_ms: minute,
    webhook_ms: 0,
  },
  payoutEvery_ms: undefined,
  declinesOnAttach: false,
  hasMinimumAmounts: true,
  // Full, these come to some 300 MB: a payment's objects are 3 KB, its events 5 KB, its two replies 6 KB.
  limits: {
    objects_max: 50_000,
    events_max: 20_000,
    idempotencyKeys_max: 40_000,
    deliveries_max: 20_000,
    faults_max: 1_000,
    // Some 120,000 requests of 270 bytes, which take about 20 s to happen again.
    journalBytes_max: 32 * 1024 * 1024,
  },
};

/** Each setting, or some of a group; what is not named stays as it is by default. */
export type SettingsChange = {
  readonly [K in keyof SimulatorSettings]?: SimulatorSettings[K] extends
    | readonly unknown[]
    | undefined
    | number
    | boolean
    ? SimulatorSettings[K]
    : Partial<SimulatorSettings[K]>;
};

export function settingsWith(change: SettingsChange): SimulatorSettings {
  return {
    ...settings_default,
    ...change,
    fees: { ...settings_default.fees, ...change.fees },
    exchangeRates: { ...settings_default.exchangeRates, ...change.exchangeRates } as Readonly<
      Record<string, string>
    >,
    delays: { ...settings_default.delays, ...change.delays },
    limits: { ...settings_default.limits, ...change.limits },
  };
}
