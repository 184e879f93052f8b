import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { refusedAddress, whyNotPublic } from "./core/index.js";

/** A host's addresses; rejects when it has none. */
export type ResolveAddresses = (host: string) => Promise<readonly string[]>;

/** The address that a name leads to may not be connected to. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
}

const query_ms = 5_000;

/**
 * By DNS alone. Not by the system's look-up: that takes one of four threads which all file writes share, and a name server that never
 * answers would hold up ingest.
 */
export const resolveByDns: ResolveAddresses = async (host) => {
  const resolver = new Resolver({ timeout: query_ms, tries: 1 });
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const addresses = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (addresses.length > 0) return addresses;
  throw answers.find((answer) => answer.status === "rejected")?.reason ?? new Error(`${host} has no address`);
};

/** By the system, with its hosts file and search domains: for development, where names are not in DNS. */
export const resolveBySystem: ResolveAddresses = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * The addresses that a connection to a host may be made to; all of them are checked, for the one that is tried may be any.
 * @throws AddressRefused when one of them is not public
 */
export async function checkedAddresses(
  host: string,
  { resolve, allowPrivate }: { resolve: ResolveAddresses; allowPrivate: boolean },
): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  if (allowPrivate) return addresses;
  for (const address of addresses) {
    const why = whyNotPublic(address);
    if (why !== undefined) throw new AddressRefused(`${host} ${refusedAddress(why)}`);
  }
  return addresses;
}
