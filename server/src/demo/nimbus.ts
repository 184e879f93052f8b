/** Nimbus Cloud, the organization of the demo: what it meters and whom it bills. Data only. */
export const nimbus = {
  slug: "nimbus-cloud",
  name: "Nimbus Cloud",
  meters: [
    {
      slug: "compute-seconds",
      name: "Compute",
      eventType: "compute.usage",
      aggregation: "SUM",
      valueProperty: "$.seconds",
      groupBy: { region: "$.region", instance: "$.instance" },
    },
    {
      slug: "egress-bytes",
      name: "Egress",
      eventType: "network.egress",
      aggregation: "SUM",
      valueProperty: "$.bytes",
      groupBy: { region: "$.region" },
    },
    {
      slug: "llm-tokens",
      name: "LLM tokens",
      eventType: "llm.request",
      aggregation: "SUM",
      valueProperty: "$.tokens",
      groupBy: { model: "$.model" },
    },
    {
      slug: "llm-requests",
      name: "LLM requests",
      eventType: "llm.request",
      aggregation: "COUNT",
      groupBy: { model: "$.model" },
    },
    {
      slug: "llm-models",
      name: "LLM models in use",
      eventType: "llm.request",
      aggregation: "UNIQUE_COUNT",
      valueProperty: "$.model",
      groupBy: {},
    },
  ],
  /** One plan in each currency; `rate` is how many of it make a dollar. */
  plans: [
    { currency: "USD", rate: "1" },
    { currency: "EUR", rate: "0.9" },
    { currency: "JPY", rate: "150" },
  ],
  regions: ["fra1", "nyc3", "sgp1", "syd1"],
  instances: ["s-1vcpu", "s-4vcpu", "gpu-l40s"],
  models: ["weir-small", "weir-large", "weir-code"],
} as const;

export interface NimbusCustomer {
  readonly key: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: "USD" | "EUR" | "JPY";
  /** How much more than the smallest customer this one uses. */
  readonly scale: number;
}

const first = [
  "Aurora",
  "Basalt",
  "Cobalt",
  "Delta",
  "Ember",
  "Fjord",
  "Granite",
  "Harbor",
  "Iris",
  "Juniper",
];
const second = ["Analytics", "Robotics", "Health", "Games", "Freight"];
const homes = [
  ["America/New_York", "USD"],
  ["Europe/Berlin", "EUR"],
  ["Asia/Tokyo", "JPY"],
  ["Asia/Kolkata", "USD"],
  ["Pacific/Auckland", "USD"],
  ["America/Los_Angeles", "USD"],
  ["Europe/Lisbon", "EUR"],
  ["Pacific/Honolulu", "USD"],
  ["Asia/Kathmandu", "USD"],
  ["Australia/Lord_Howe", "USD"],
] as const;

/** Fifty customers, in ten time zones and three currencies. */
export const nimbusCustomers: readonly NimbusCustomer[] = first.flatMap((left, row) =>
  second.map((right, column) => {
    const [timeZone, currency] = homes[(row * second.length + column) % homes.length] ?? homes[0];
    const name = `${left} ${right}`;
    return {
      key: name.toLowerCase().replace(" ", "-"),
      name,
      timeZone,
      currency,
      scale: 1 + ((row * 7 + column * 3) % 13),
    };
  }),
);
