import { parseTimeZone, utc, type TimeZone } from "../../../kernel/time-zone.js";
import type { CardScheme } from "../../../settlement/index.js";
import type { ProviderAccount, ProviderFields } from "../../provider.js";

type Settings = ProviderAccount["settings"];
interface Fault {
  readonly field: string;
  readonly message: string;
}

export const cardFilesFields: ProviderFields = {
  settings: [
    { name: "acquirerId", description: "What the acquirer calls itself in its files", isRequired: true },
    { name: "merchantId", description: "What the acquirer calls you", isRequired: true },
    {
      name: "institutions",
      description:
        "As which its scheme files name your side, separated by commas: Mastercard institution ids, Visa BINs. Then others are held; every file is taken when left out",
      isRequired: false,
    },
    {
      name: "firstSequence",
      description: "The number of the first charge file: 1 when left out",
      isRequired: false,
    },
    {
      name: "closingHour",
      description: "The hour at which a batch is closed by itself, 0 to 23; by hand only when left out",
      isRequired: false,
    },
    { name: "timeZone", description: "Of that hour: Europe/Berlin; UTC when left out", isRequired: false },
    {
      name: "mastercardEvidenceDays",
      description: "Days from a Mastercard chargeback to the last day for evidence: 45 when left out",
      isRequired: false,
    },
    {
      name: "visaEvidenceDays",
      description: "Days from a Visa chargeback to the last day for evidence: 30 when left out",
      isRequired: false,
    },
  ],
  secrets: [],
};

const evidence_days_max = 120;
const sequence_max = 999_999_999;
const institutions_max = 20;
/** By the schemes' rules for a second presentment, and for a dispute response. */
const evidence_days: Readonly<Record<CardScheme, { readonly setting: string; readonly days: number }>> = {
  mastercard: { setting: "mastercardEvidenceDays", days: 45 },
  visa: { setting: "visaEvidenceDays", days: 30 },
};

export function checkCardFilesAccount({ settings }: { readonly settings: Settings }): Fault[] {
  const faults: Fault[] = [];
  for (const name of ["acquirerId", "merchantId"])
    if (!/^[A-Za-z0-9_.-]{1,32}$/.test(settings[name] ?? ""))
      faults.push({ field: `settings.${name}`, message: "1 to 32 letters, digits, _, . and -" });
  const institutions = institutionsOf(settings);
  if (institutions.length > institutions_max || institutions.some((one) => !/^[A-Za-z0-9]{1,32}$/.test(one)))
    faults.push({
      field: "settings.institutions",
      message: `at most ${institutions_max}, each 1 to 32 letters and digits`,
    });
  const whole = (name: string, from: number, to: number) => {
    const text = settings[name];
    if (text !== undefined && (!/^\d{1,9}$/.test(text) || Number(text) < from || Number(text) > to))
      faults.push({ field: `settings.${name}`, message: `a whole number from ${from} to ${to}` });
  };
  whole("firstSequence", 1, sequence_max);
  whole("closingHour", 0, 23);
  for (const { setting } of Object.values(evidence_days)) whole(setting, 1, evidence_days_max);
  const { timeZone } = settings;
  if (timeZone !== undefined && parseTimeZone(timeZone) === undefined)
    faults.push({ field: "settings.timeZone", message: "an IANA time zone such as Europe/Berlin" });
  return faults;
}

export function closingOf({
  closingHour,
  timeZone,
}: Settings): { readonly hour: number; readonly zone: TimeZone } | undefined {
  if (closingHour === undefined) return undefined;
  return {
    hour: Number(closingHour),
    zone: (timeZone === undefined ? undefined : parseTimeZone(timeZone)) ?? utc,
  };
}

export function evidenceDaysOf(settings: Settings, scheme: CardScheme): number {
  const { setting, days } = evidence_days[scheme];
  return Number(settings[setting] ?? days);
}

/** What files must name to be the account's; nothing when that is not known. */
export function identifiersOf(settings: Settings): readonly string[] {
  const institutions = institutionsOf(settings);
  if (institutions.length === 0) return [];
  return [...institutions, ...[settings["acquirerId"], settings["merchantId"]].flatMap((one) => one ?? [])];
}

function institutionsOf({ institutions }: Settings): string[] {
  return (institutions ?? "").split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
}
