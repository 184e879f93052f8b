import { BlockList, isIPv4, isIPv6 } from "node:net";

/*
 * Which addresses a webhook may go to: what the special-purpose registries of IANA (RFC 6890 and its successors) call globally reachable.
 * IPv6 that carries an IPv4 address in it is refused as a whole: through such an address a private one would be reached.
 */
const ipv4_ranges: readonly (readonly [network: string, prefix: number, what: string])[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by a provider's customers (CGNAT)"],
  ["127.0.0.0", 8, "loopback"],
  ["168.63.129.16", 32, "a cloud's metadata"],
  ["169.254.0.0", 16, "link-local, where clouds keep metadata"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "kept for protocols"],
  ["192.0.2.0", 24, "documentation"],
  ["192.88.99.0", 24, "a 6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "benchmarks"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved or broadcast"],
];

const ipv6_ranges: readonly (readonly [network: string, prefix: number, what: string])[] = [
  ["::", 128, "unspecified"],
  ["::1", 128, "loopback"],
  ["::ffff:0:0", 96, "IPv4 mapped into IPv6"],
  ["::", 96, "IPv4 within IPv6"],
  ["64:ff9b::", 96, "IPv4 behind NAT64"],
  ["64:ff9b:1::", 48, "IPv4 behind NAT64"],
  ["100::", 64, "discarded"],
  ["2001:db8::", 32, "documentation"],
  ["2001::", 23, "kept for protocols, such as Teredo"],
  ["2002::", 16, "IPv4 within IPv6 (6to4)"],
  ["3fff::", 20, "documentation"],
  ["5f00::", 16, "segment routing"],
  ["fc00::", 7, "unique local"],
  ["fe80::", 10, "link-local"],
  ["fec0::", 10, "site-local"],
  ["ff00::", 8, "multicast"],
];

const listOf = (family: "ipv4" | "ipv6", network: string, prefix: number): BlockList => {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list;
};
const ipv4 = ipv4_ranges.map(([network, prefix, what]) => ({ list: listOf("ipv4", network, prefix), what }));
const ipv6 = ipv6_ranges.map(([network, prefix, what]) => ({ list: listOf("ipv6", network, prefix), what }));
/** All that is given out so far. */
const global_unicast = listOf("ipv6", "2000::", 3);

/** Why an address is not a public one; undefined when it is. Text that is no address is not public. */
export function whyNotPublic(address: string): string | undefined {
  if (isIPv4(address)) return ipv4.find(({ list }) => list.check(address, "ipv4"))?.what;
  if (!isIPv6(address)) return "no address";
  if (address.includes("%")) return "of one link (it has a zone)";
  const range = ipv6.find(({ list }) => list.check(address, "ipv6"))?.what;
  return range ?? (global_unicast.check(address, "ipv6") ? undefined : "not given out");
}
