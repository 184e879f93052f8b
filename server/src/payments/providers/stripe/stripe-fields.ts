import type { ProviderAccount, ProviderFields } from "../../provider.js";

export const stripeFields: ProviderFields = {
  settings: [
    {
      name: "apiBase",
      description:
        "Where the API is, such as http://127.0.0.1:12111 for the simulator; Stripe's own when left out. Test keys only.",
      isRequired: false,
    },
    {
      name: "callsPerSecond",
      description:
        "How many calls a second the account takes, where Stripe grants it another limit: 80 with a live key and 20 with a test key when left out.",
      isRequired: false,
    },
  ],
  secrets: [
    { name: "secretKey", description: "sk_test_…, sk_live_…, or a restricted key", isRequired: true },
    { name: "webhookSecret", description: "whsec_…, of the endpoint that sends to Weir", isRequired: false },
  ],
};

// Stripe takes 100 a second in live mode and 25 in a sandbox (docs.stripe.com/rate-limits); others may use the account too.
const live_calls = 80;
const sandbox_calls = 20;
const calls_max = 10_000;

/** Undefined for what is not Stripe itself, such as the simulator. */
export function stripeCallsPerSecond({
  settings,
  secrets,
}: Pick<ProviderAccount, "settings" | "secrets">): number | undefined {
  const set = settings["callsPerSecond"];
  if (set !== undefined) return Number(set);
  if (settings["apiBase"] !== undefined) return undefined;
  return isTestKey(secrets["secretKey"]) ? sandbox_calls : live_calls;
}

export function isTestKey(key: string | undefined): boolean {
  return /^(sk|rk)_test_/.test(key ?? "");
}

export function checkStripeAccount({
  settings,
  secrets,
}: Pick<ProviderAccount, "settings" | "secrets">): { field: string; message: string }[] {
  const faults: { field: string; message: string }[] = [];
  const key = secrets["secretKey"];
  if (!/^(sk|rk)_(test|live)_[A-Za-z0-9_]{4,256}$/.test(key ?? ""))
    faults.push({
      field: "secrets.secretKey",
      message: "begins with sk_test_, sk_live_, rk_test_ or rk_live_",
    });
  const secret = secrets["webhookSecret"];
  if (secret !== undefined && !/^whsec_[!-~]{8,256}$/.test(secret))
    faults.push({ field: "secrets.webhookSecret", message: "begins with whsec_" });
  const calls = settings["callsPerSecond"];
  if (calls !== undefined && !(/^\d{1,5}$/.test(calls) && Number(calls) >= 1 && Number(calls) <= calls_max))
    faults.push({ field: "settings.callsPerSecond", message: `is a whole number from 1 to ${calls_max}` });
  const base = settings["apiBase"];
  if (base !== undefined) {
    if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol))
      faults.push({
        field: "settings.apiBase",
        message: "is an address that begins with http:// or https://",
      });
    // A live key must never be sent anywhere else.
    else if (!isTestKey(key))
      faults.push({
        field: "settings.apiBase",
        message: "another address than Stripe's takes test keys only",
      });
  }
  return faults;
}
