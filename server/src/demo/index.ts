import type { Services } from "../services.js";
import { nimbus } from "./nimbus.js";
import { runDemo } from "./run-demo.js";

/** The demo while it runs: its organization's key, and the way to stop it. */
export interface RunningDemo {
  readonly key: string;
  stop(): Promise<void>;
}

/** Sees to Nimbus Cloud and its key, and plays its traffic against `url`. */
export async function startDemo(services: Services, url: string): Promise<RunningDemo> {
  const { identity, catalog, billing, usage, clock, log } = services;
  const organization =
    (await identity.findOrganizationBySlug(nimbus.slug)) ??
    (await identity.createOrganization({ slug: nimbus.slug, name: nimbus.name }));
  const { caller, secret } = await identity.issueSystemKey(organization.id, { name: "demo", kind: "secret" });
  const { payments: of, settlement, config } = services;
  const payments = { payments: of, settlement, billing, config, clock, log, caller, url };
  const running = runDemo({ url, key: secret, caller, catalog, billing, usage, clock, log, payments });
  return { key: secret, stop: () => running.stop() };
}
