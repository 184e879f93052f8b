import type Stripe from "stripe";
import type { Account } from "../account.js";
import { badParameter } from "../api/api-error.js";
import { idOf, type Call, type Route } from "../api/call.js";
import type { Thin } from "../thin.js";
import { seconds } from "../unix-time.js";
import { api_version } from "../webhooks/event-log.js";
import type { StoredObject } from "./object-store.js";
import { listPage } from "./page.js";

const path = "/v1/webhook_endpoints";

export const webhookEndpointRoutes: readonly Route[] = [
  { method: "POST", path, operation: "webhook_endpoints.create", act: create },
  { method: "GET", path, operation: "webhook_endpoints.list", act: list },
  { method: "GET", path: `${path}/:id`, operation: "webhook_endpoints.retrieve", act: retrieve },
  { method: "POST", path: `${path}/:id`, operation: "webhook_endpoints.update", act: update },
  { method: "DELETE", path: `${path}/:id`, operation: "webhook_endpoints.delete", act: remove },
];

type WebhookEndpointWire = Thin<Stripe.WebhookEndpoint>;

export interface WebhookEndpointRecord extends StoredObject {
  readonly wire: WebhookEndpointWire;
  readonly secret: string;
}

const endpoints_max = 16;

function create({ account, params }: Call): WebhookEndpointWire {
  const url = checkUrl(params.requiredText("url"));
  const events = readEvents(params.texts("enabled_events"));
  const description = params.text("description") ?? null;
  const metadata = params.metadata({});
  params.ignore("api_version");
  params.done();
  if (events === undefined)
    throw badParameter("enabled_events", "Missing required param: enabled_events.", "parameter_missing");
  if (account.webhooks.targets.size >= endpoints_max)
    throw badParameter("url", `You have reached the maximum of ${endpoints_max} test webhook endpoints.`);
  const wire: WebhookEndpointWire = {
    id: account.ids.next("we"),
    object: "webhook_endpoint",
    api_version,
    application: null,
    created: seconds(account.now_ms()),
    description,
    enabled_events: events,
    livemode: false,
    metadata,
    status: "enabled",
    url,
  };
  const record = account.webhookEndpoints.add({ wire, secret: `whsec_${account.ids.letters(32)}` });
  setTarget(account, record);
  return { ...wire, secret: record.secret };
}

function update(call: Call): WebhookEndpointWire {
  const { account, params } = call;
  const record = liveEndpoint(call);
  const { wire } = record;
  const url = params.text("url");
  const events = readEvents(params.texts("enabled_events"));
  const isDisabled = params.boolean("disabled");
  const description = params.unsettableText("description");
  const metadata = params.metadata(wire.metadata);
  params.done();
  if (url !== undefined) wire.url = checkUrl(url);
  if (events !== undefined) wire.enabled_events = events;
  if (isDisabled !== undefined) wire.status = isDisabled ? "disabled" : "enabled";
  if (description !== undefined) wire.description = description;
  wire.metadata = metadata;
  setTarget(account, record);
  return wire;
}

function remove(call: Call): Stripe.DeletedWebhookEndpoint {
  call.params.done();
  const { wire } = liveEndpoint(call);
  wire.status = "deleted";
  call.account.webhooks.targets.delete(wire.id);
  return { id: wire.id, object: "webhook_endpoint", deleted: true };
}

function retrieve(call: Call): WebhookEndpointWire {
  call.params.done();
  return liveEndpoint(call).wire;
}

function list({ account, params }: Call): object {
  return listPage({
    store: account.webhookEndpoints,
    url: path,
    params,
    matches: ({ wire }) => wire.status !== "deleted",
  });
}

function liveEndpoint(call: Call): WebhookEndpointRecord {
  const found = call.account.webhookEndpoints.get(idOf(call));
  if (found.wire.status === "deleted")
    throw badParameter("id", `No such webhook endpoint: '${found.wire.id}'`, "resource_missing");
  return found;
}

function setTarget(account: Account, { wire, secret }: WebhookEndpointRecord): void {
  account.webhooks.targets.set(wire.id, {
    id: wire.id,
    url: wire.url,
    secret,
    events: wire.enabled_events,
    isEnabled: wire.status === "enabled",
  });
}

function readEvents(events: readonly string[] | undefined): string[] | undefined {
  if (events?.length === 0) throw badParameter("enabled_events", "Name at least one event, or '*' for all.");
  return events === undefined ? undefined : [...events];
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw badParameter("url", "Invalid URL: give an http or https address.", "url_invalid");
  return text;
}
