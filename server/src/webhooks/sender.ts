import http from "node:http";
import https from "node:https";
import { isIPv6, type LookupFunction } from "node:net";
import { hostOf, isSuccessful, type AttemptResult } from "./core/index.js";
import {
  AddressRefused,
  checkedAddresses,
  resolveByDns,
  resolveBySystem,
  type ResolveAddresses,
} from "./resolve-addresses.js";

export interface SenderOptions {
  /** For development: private addresses too. */
  readonly allowPrivate: boolean;
  /** How names are looked up; tests have names of their own. */
  readonly resolve?: ResolveAddresses | undefined;
  /** PEM: who else is trusted to sign receivers' certificates. */
  readonly certificateAuthority?: string | undefined;
  readonly timeout_ms?: number | undefined;
}

export interface SentRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type SentResult = Omit<AttemptResult, "at">;

export const timeout_ms_default = 15_000;
/** What is read of an answer, and kept. */
export const response_bytes_max = 4_096;
const error_length_max = 500;

/**
 * Sends one request to a receiver, by a connection of its own to exactly an address that was checked, whatever its name leads to a
 * moment later. Follows no redirect and uses no proxy.
 */
export class Sender {
  readonly #on: SenderOptions;
  readonly #resolve: ResolveAddresses;

  constructor(options: SenderOptions) {
    this.#on = options;
    this.#resolve = options.resolve ?? (options.allowPrivate ? resolveBySystem : resolveByDns);
  }

  /** The addresses that a host leads to. @throws AddressRefused, or what the look-up says */
  addressesOf(host: string): Promise<readonly string[]> {
    return checkedAddresses(host, { resolve: this.#resolve, allowPrivate: this.#on.allowPrivate });
  }

  /** Never rejects, except when `stop` says that Weir stops: then it is not known how it went. */
  async send(request: SentRequest, stop: AbortSignal): Promise<SentResult> {
    const began = performance.now();
    const { timeout_ms = timeout_ms_default } = this.#on;
    const late = new Error(`no answer within ${timeout_ms / 1000} s`);
    // Not AbortSignal.any: what that derives from a signal that lives as long as the process is kept with it.
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(late), timeout_ms);
    const stopped = () => ending.abort(stop.reason);
    stop.addEventListener("abort", stopped, { once: true });
    const ended = (result: Partial<SentResult>): SentResult => ({
      duration_ms: performance.now() - began,
      status: undefined,
      error: undefined,
      response: undefined,
      retryAfter: undefined,
      ...result,
    });
    try {
      stop.throwIfAborted();
      const url = new URL(request.url);
      const addresses = await until(ending.signal, this.addressesOf(hostOf(url)));
      const answer = await this.#exchange(url, addresses, request, ending.signal);
      stop.throwIfAborted();
      return ended({
        ...answer,
        error: isSuccessful(answer.status) ? undefined : describeStatus(answer.status),
      });
    } catch (error) {
      stop.throwIfAborted();
      return ended({
        error: describeError(ending.signal.aborted ? late : error).slice(0, error_length_max),
      });
    } finally {
      clearTimeout(timer);
      stop.removeEventListener("abort", stopped);
    }
  }

  #exchange(
    url: URL,
    addresses: readonly string[],
    { headers, body }: SentRequest,
    signal: AbortSignal,
  ): Promise<{ status: number; response: string; retryAfter: string | undefined }> {
    return new Promise((resolve, reject) => {
      const { certificateAuthority } = this.#on;
      // Once its status is there, an answer counts by that, should it break off or never end.
      let finish: (() => void) | undefined;
      const giveUp = (why: Error) => (finish === undefined ? reject(why) : finish());
      signal.addEventListener("abort", () => giveUp(signal.reason as Error), { once: true });
      const request = (url.protocol === "http:" ? http : https).request({
        method: "POST",
        // The name stays: for the Host header, for SNI, and for whom the certificate must be.
        hostname: hostOf(url),
        port: url.port === "" ? undefined : Number(url.port),
        path: `${url.pathname}${url.search}`,
        headers: { ...headers, "content-length": body.length },
        agent: false,
        lookup: pinnedTo(addresses),
        signal,
        ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
      });
      request.on("error", giveUp);
      // Without a listener Node closes the connection and says nothing.
      request.on("upgrade", (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode ?? 101, response: "", retryAfter: undefined });
      });
      request.on("close", () => giveUp(new Error("the connection was closed before there was an answer")));
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        finish = () => {
          resolve({
            status: response.statusCode ?? 0,
            response: textOf(Buffer.concat(chunks).subarray(0, response_bytes_max)),
            retryAfter: response.headers["retry-after"],
          });
          request.destroy();
        };
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length >= response_bytes_max) finish?.();
        });
        response.on("end", finish);
        response.on("error", finish);
        response.on("close", finish);
      });
      request.end(body);
    });
  }
}

/** Gives the checked addresses, whatever name is asked for. */
function pinnedTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_host, { all: wantsAll }, callback) => {
    const [first] = all;
    if (first === undefined) callback(new Error("there is no address"), "", 4);
    else if (wantsAll === true) callback(null, all);
    else callback(null, first.address, first.family);
  };
}

/** Rejects once the signal is aborted; what is waited for may go on by itself. */
function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** As text that PostgreSQL can keep: without U+0000, and with U+FFFD for what is no UTF-8. */
function textOf(bytes: Buffer): string {
  return bytes.toString("utf8").replaceAll("\u0000", "\uFFFD");
}

function describeStatus(status: number): string {
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`;
  return `answered ${status}`;
}

function describeError(error: unknown): string {
  if (error instanceof AddressRefused) return error.message;
  // Of several addresses none could be connected to: each has its own reason.
  if (error instanceof AggregateError) return [...new Set(error.errors.map(describeError))].join("; ");
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const known = code === undefined ? undefined : known_errors[code];
  return known ?? (error.message === "" ? (code ?? error.name) : error.message);
}

const known_errors: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name is not in DNS",
  ENODATA: "its name has no address in DNS",
  ETIMEOUT: "DNS does not answer",
  ESERVFAIL: "DNS failed",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed before there was an answer",
  EHOSTUNREACH: "the address cannot be reached",
  ENETUNREACH: "the address cannot be reached",
  HPE_HEADER_OVERFLOW: "the answer's headers are too long",
};
