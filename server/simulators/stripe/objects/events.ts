import { idOf, type Call, type Route } from "../api/call.js";
import { badParameter } from "../api/api-error.js";
import { eventJson, type EventRecord } from "../webhooks/event-log.js";
import { listPage } from "./page.js";

export const eventRoutes: readonly Route[] = [
  { method: "GET", path: "/v1/events", operation: "events.list", act: list },
  { method: "GET", path: "/v1/events/:id", operation: "events.retrieve", act: retrieve },
];

const types_max = 20;

function retrieve(call: Call): object {
  call.params.done();
  return wireOf(call.account.events.store.get(idOf(call)));
}

function list({ account, params }: Call): object {
  const type = params.text("type");
  const types = params.texts("types");
  const wasDelivered = params.boolean("delivery_success");
  if (types !== undefined && types.length > types_max)
    throw badParameter("types", `You may pass up to ${types_max} types.`);
  if (types !== undefined && type !== undefined)
    throw badParameter("types", "You can only specify one of these parameters: type, types.");
  const wanted = types ?? (type === undefined ? undefined : [type]);
  const { store } = account.events;
  const page = listPage({
    store,
    url: "/v1/events",
    params,
    matches: (event) =>
      (wanted === undefined || wanted.some((pattern) => isOfType(event.type, pattern))) &&
      (wasDelivered === undefined || wasDelivered !== event.isUndelivered),
  });
  return { ...page, data: page.data.map(({ id }) => wireOf(store.get(id))) };
}

/** A pattern may end in ".*": "payment_intent.*". */
function isOfType(type: string, pattern: string): boolean {
  return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

function wireOf(event: EventRecord): object {
  return JSON.parse(eventJson(event)) as object;
}
