import { mark, type TwoOrganizations } from "./two-organizations.js";

export interface RestCall {
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
}

/** Routes that a signature of their own opens, whatever the key: here none that is right. */
export const signedRoutes = ({ a, b }: TwoOrganizations): Record<string, RestCall[]> => ({
  "POST /v1/webhooks/:organization/:account": [
    { path: `/v1/webhooks/${b.id}/${b.ids.providerAccount}`, body: { id: "evt_1", type: "payout.paid" } },
    { path: `/v1/webhooks/${b.id}/${mark}-stripe`, body: {} },
    { path: `/v1/webhooks/${a.id}/${b.ids.providerAccount}`, body: {} },
  ],
  "GET /pay/:token": [
    { path: `/pay/${b.ids.cardToken.slice(0, -1)}` },
    { path: `/pay/${ofAnother({ a, b })}` },
  ],
});

/** A's signature over B's customer. */
function ofAnother({ a, b }: TwoOrganizations): string {
  const token = Buffer.from(a.ids.cardToken, "base64url");
  Buffer.from(b.ids.cardToken, "base64url").copy(token, 1, 1, token.length - 32);
  return token.toString("base64url");
}

/** Routes by "METHOD path"; public ones show nothing of any organization. */
export const routes = (of: TwoOrganizations): Record<string, RestCall[] | "public" | "graphql"> => {
  const { b } = of;
  return {
    "GET /": "public",
    "GET /healthz": "public",
    "GET /readyz": "public",
    "GET /metrics": "public",
    "GET /pay/done": "public",
    "GET /graphql": "graphql",
    "POST /graphql": "graphql",
    "OPTIONS /graphql": "graphql",
    "GET /v1/config": [{ path: "/v1/config" }],
    "GET /v1/catalog": [{ path: "/v1/catalog" }],
    "GET /v1/invoices/:file": [
      { path: `/v1/invoices/${b.ids.invoice}.json` },
      { path: `/v1/invoices/${b.ids.invoice}.html` },
      { path: `/v1/invoices/${b.ids.invoice}.pdf` },
      { path: `/v1/invoices/${b.ids.invoice}.xml` },
      { path: "/v1/invoices/INV-000001.json" },
    ],
    "GET /v1/ledger/journal": [{ path: "/v1/ledger/journal" }, { path: "/v1/ledger/journal?format=parquet" }],
    "GET /v1/credit-notes/:file": [
      { path: `/v1/credit-notes/${b.ids.creditNote}.json` },
      { path: `/v1/credit-notes/${b.ids.creditNote}.html` },
      { path: `/v1/credit-notes/${b.ids.creditNote}.pdf` },
      { path: `/v1/credit-notes/${b.ids.creditNote}.xml` },
      { path: "/v1/credit-notes/CN-000001.json" },
    ],
    "POST /v1/catalog/apply": [
      {
        path: "/v1/catalog/apply",
        body: {
          plans: [
            { key: "stolen", currency: "USD", prices: [{ key: "p", meter: `${mark}-meter`, perUnit: "1" }] },
          ],
        },
      },
    ],
    "POST /v1/events": [{ path: "/v1/events", body: [newEvent()] }],
    "POST /api/v1/events": [{ path: "/api/v1/events", body: [newEvent()] }],
    "GET /v1/events": [
      { path: `/v1/events?subject=${mark}-subject` },
      { path: `/v1/events?source=${mark}-source&id=${mark}-event-1` },
      { path: "/v1/events" },
    ],
    "GET /api/v1/events": [{ path: `/api/v1/events?subject=${mark}-subject` }, { path: "/api/v1/events" }],
    "POST /v1/events/void": [
      { path: "/v1/events/void", body: { source: `${mark}-source`, id: `${mark}-event-1`, reason: "r" } },
    ],
    "POST /v1/events/amend": [
      {
        path: "/v1/events/amend",
        body: { source: `${mark}-source`, id: `${mark}-event-1`, reason: "r", change: { subject: "x" } },
      },
    ],
    "GET /v1/payment-batches/:file": [{ path: `/v1/payment-batches/${b.ids.paymentBatch}` }],
    "GET /v1/settlement/files/:id": [{ path: `/v1/settlement/files/${b.ids.settlementFile}` }],
    "POST /v1/settlement/files": [
      { path: `/v1/settlement/files?account=${b.ids.bank}`, body: "<Document/>" },
      { path: `/v1/settlement/files?account=${mark}-bank`, body: "<Document/>" },
    ],
    "GET /v1/imports": [{ path: "/v1/imports" }, { path: `/v1/imports?after=${b.ids.fileImport}` }],
    "POST /v1/imports": [],
    "GET /v1/imports/:id": [
      { path: `/v1/imports/${b.ids.import}` },
      { path: `/v1/imports/${mark}-import` },
      { path: `/v1/imports/${b.ids.fileImport}` },
      { path: `/v1/imports/${mark}-file` },
    ],
    "POST /v1/imports/:id/events": [
      { path: `/v1/imports/${b.ids.import}/events?firstRow=0&rows=1`, body: [newEvent()] },
    ],
    "POST /v1/imports/:id/complete": [
      { path: `/v1/imports/${b.ids.import}/complete`, body: {} },
      { path: `/v1/imports/${b.ids.fileImport}/complete`, body: {} },
    ],
    ...meterRoutes(of, "/v1"),
    ...meterRoutes(of, "/api/v1"),
    "GET /api/v1/meters/:meter/group-by/:dimension/values": [
      { path: `/api/v1/meters/${b.ids.meter}/group-by/region/values` },
      { path: "/api/v1/meters/aardvark-meter/group-by/region/values" },
    ],
  };
};

const meterRoutes = ({ b }: TwoOrganizations, prefix: string): Record<string, RestCall[]> => ({
  [`GET ${prefix}/meters`]: [{ path: `${prefix}/meters` }],
  [`POST ${prefix}/meters`]: [],
  [`GET ${prefix}/meters/:meter`]: [
    { path: `${prefix}/meters/${b.ids.meter}` },
    { path: `${prefix}/meters/${mark}-meter` },
  ],
  [`PUT ${prefix}/meters/:meter`]: [
    {
      path: `${prefix}/meters/${b.ids.meter}`,
      body: { name: "taken", eventType: "x", aggregation: "COUNT" },
    },
  ],
  [`DELETE ${prefix}/meters/:meter`]: [{ path: `${prefix}/meters/${b.ids.meter}` }],
  [`GET ${prefix}/meters/:meter/query`]: [
    { path: `${prefix}/meters/${b.ids.meter}/query` },
    { path: `${prefix}/meters/aardvark-meter/query?subject=${mark}-subject&groupBy=region` },
    { path: `${prefix}/meters/aardvark-meter/query?groupBy=subject&groupBy=region&format=csv` },
  ],
  [`POST ${prefix}/meters/:meter/query`]: [
    { path: `${prefix}/meters/${b.ids.meter}/query`, body: {} },
    { path: `${prefix}/meters/aardvark-meter/query`, body: { subject: [`${mark}-subject`] } },
  ],
  [`GET ${prefix}/subjects`]: [{ path: `${prefix}/subjects` }],
});

function newEvent() {
  return {
    specversion: "1.0",
    id: "fresh",
    source: "fresh",
    type: "aardvark.type",
    subject: "fresh",
    data: { units: 1 },
  };
}
