import { parseArgs } from "node:util";
import { startStripeSimulator } from "./http-server.js";
import { UnusableJournal } from "./journal.js";
import type { SettingsChange } from "./settings.js";

const usage = `Runs a simulator of Stripe's API, for development and tests.

  npm run simulator -- [--port 12111] [--host 127.0.0.1] [--webhook URL --secret whsec_…] [--settle usd,eur]
                       [--rate eur/usd=1.0842 …] [--payout-every HOURS] [--seed TEXT] [--journal FILE]

  --port          0 takes a free one
  --webhook       where its events are sent, signed with --secret
  --settle        the currencies that the account keeps a balance in; others are exchanged into the first
  --rate          what one unit of a currency is in another
  --payout-every  pays out all that is available, every so many hours
  --seed          the same seed and requests give the same ids and the same chances
  --journal       a file that keeps what happened, so that it is all there again at the next start
`;

/** The process: its arguments, what it prints, its signals. Exit codes: 0 stopped, 1 failed, 2 bad arguments. */
async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  const running = await startStripeSimulator(options);
  if (options.webhook !== undefined) running.simulator.addWebhook(options.webhook);
  const end = (): void => {
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(String(error), 1),
    );
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  console.log(summary(running.url, options));
}

interface Options {
  readonly port: number;
  readonly host: string;
  readonly seed: string;
  readonly settings: SettingsChange;
  readonly journal?: string;
  readonly webhook: { readonly url: string; readonly secret: string } | undefined;
}

function readOptions(): Options | undefined {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        port: { type: "string", default: "12111" },
        host: { type: "string", default: "127.0.0.1" },
        webhook: { type: "string" },
        secret: { type: "string" },
        settle: { type: "string" },
        rate: { type: "string", multiple: true, default: [] },
        "payout-every": { type: "string" },
        seed: { type: "string", default: "weir" },
        journal: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, 2);
  }
  if (values.help) {
    console.log(usage);
    return undefined;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return fail(`--port is a number from 0 to 65535, not "${values.port}"`, 2);
  const { webhook, secret } = values;
  if ((webhook === undefined) !== (secret === undefined))
    return fail("--webhook and --secret go together: the secret is what Weir checks the signature with", 2);
  if (webhook !== undefined && !URL.canParse(webhook))
    return fail(`--webhook is an address, not "${webhook}"`, 2);
  const hours = values["payout-every"] === undefined ? undefined : Number(values["payout-every"]);
  if (hours !== undefined && !(hours > 0 && hours <= 10_000))
    return fail(`--payout-every is a number of hours, not "${values["payout-every"]}"`, 2);
  const rates = values.rate.map((text) => text.toLowerCase().split("=") as [string, string]);
  return {
    port,
    host: values.host,
    seed: values.seed,
    ...(values.journal !== undefined && { journal: values.journal }),
    settings: {
      settlementCurrencies: values.settle?.toLowerCase().split(","),
      exchangeRates: Object.fromEntries(rates),
      payoutEvery_ms: hours === undefined ? undefined : hours * 3_600_000,
    },
    webhook: webhook === undefined || secret === undefined ? undefined : { url: webhook, secret },
  };
}

function summary(url: string, { webhook, journal }: Options): string {
  const { hostname, port } = new URL(url);
  return `Stripe simulator on ${url}

  SDK       new Stripe("sk_test_anything", { host: "${hostname}", port: ${port}, protocol: "http" })
  cards     pm_card_visa, pm_card_visa_chargeDeclinedInsufficientFunds, pm_card_createDispute, …
  webhooks  ${webhook === undefined ? "none; give --webhook URL --secret whsec_…" : `to ${webhook.url}`}
  faults    curl ${url}/_simulator/faults -H 'content-type: application/json' \\
              -d '{"operation": "payment_intents.confirm", "times": 2, "effect": {"kind": "drop_after"}}'
  books     curl ${url}/_simulator/ledger

More in docs/guide/stripe-simulator.md. Live keys are refused. Ctrl+C stops it${journal === undefined ? ", and nothing is kept" : ""}.`;
}

function fail(message: string, code: number): undefined {
  console.error(message);
  process.exitCode = code;
  return undefined;
}

main().catch((error: unknown) => {
  if (error instanceof RangeError || error instanceof UnusableJournal) fail(error.message, 2);
  else if (error instanceof Error && "code" in error && error.code === "EADDRINUSE")
    fail("The port is taken: give another by --port.", 1);
  else fail(error instanceof Error ? (error.stack ?? error.message) : String(error), 1);
});
