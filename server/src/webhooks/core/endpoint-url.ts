import { isIP } from "node:net";
import { whyNotPublic } from "./public-address.js";

const url_length_max = 2048;

/**
 * What is wrong with the text of an endpoint's URL; undefined when nothing is. Where its name leads to is looked up elsewhere.
 *
 * @param allowPrivate  for development: http and private addresses too
 */
export function faultOfUrl(text: string, { allowPrivate }: { allowPrivate: boolean }): string | undefined {
  if (text.length > url_length_max) return `at most ${url_length_max} characters`;
  if (!URL.canParse(text)) return "not a URL such as https://example.com/webhooks";
  const url = new URL(text);
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:"))
    return "must begin with https://; what is sent is not for others to read";
  if (url.username !== "" || url.password !== "")
    return "must hold no user or password; a receiver knows Weir by the signature";
  if (url.hash !== "") return "must have no fragment (#…), which is never sent";
  if (allowPrivate) return undefined;
  const host = hostOf(url);
  if (/(^|\.)localhost\.?$/.test(host)) return "leads to this machine; it must be reachable from outside";
  const why = isIP(host) === 0 ? undefined : whyNotPublic(host);
  return why === undefined ? undefined : `${host} ${refusedAddress(why)}`;
}

/** A URL's host, an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}

/** The address itself is not told: what names lead to within a network is not for whoever may add an endpoint. */
export function refusedAddress(why: string): string {
  return `leads to an address that is ${why}; webhooks go to public addresses only`;
}
