export const json = { "content-type": "application/json" };
export const lines = { "content-type": "application/x-ndjson" };

/** Of a SUM over $.n of events of type t. */
export const meter = { slug: "n", eventType: "t", aggregation: "SUM", valueProperty: "$.n" };

export const event = (id: string, more: object = {}) => ({
  id,
  source: "s",
  type: "t",
  subject: "a",
  data: { n: 1 },
  ...more,
});
