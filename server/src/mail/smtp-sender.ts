import { isIPv4 } from "node:net";
import type { Mailbox } from "../kernel/email-address.js";
import type { AttemptOutcome } from "./core/index.js";

export interface MailAttachment {
  readonly name: string;
  readonly type: string;
  readonly content: Buffer;
}

/** A mail as it goes out: one recipient, who may be someone else than whom it is addressed to (a blind copy). */
export interface OutgoingMail {
  readonly messageId: string;
  readonly from: Mailbox;
  readonly replyTo: string | undefined;
  readonly to: Mailbox;
  readonly recipient: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly MailAttachment[];
}

/** Takes mails to an SMTP server. What it says is an outcome, never thrown. */
export interface MailSender {
  send(mail: OutgoingMail): Promise<AttemptOutcome>;
}

const connect_ms_max = 10_000;
const silence_ms_max = 60_000;
const reply_length_max = 1_000;

/**
 * SMTP by nodemailer, one connection for each mail. TLS is used where the server offers it; it must, for smtps:// and before a
 * password is sent to another machine.
 */
export class SmtpSender implements MailSender {
  readonly #url: URL;
  #transport: Promise<Transport> | undefined;

  /** @param url smtp(s)://user:password@host:port, checked by the configuration */
  constructor(url: string) {
    this.#url = new URL(url);
  }

  async send(mail: OutgoingMail): Promise<AttemptOutcome> {
    try {
      const transport = await (this.#transport ??= openTransport(this.#url));
      const { from, to, replyTo, attachments, recipient, ...rest } = mail;
      const sent = await transport.sendMail({
        ...rest,
        from: addressOf(from),
        to: addressOf(to),
        ...(replyTo === undefined ? {} : { replyTo }),
        envelope: { from: from.address, to: [recipient] },
        headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
        attachments: attachments.map(({ name, type, content }) => ({
          filename: name,
          contentType: type,
          content,
        })),
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      return { kind: "accepted", reply: oneLine(sent.response) };
    } catch (error) {
      return outcomeOf(error);
    }
  }
}

async function openTransport({ protocol, hostname, port, username, password }: URL) {
  // Loaded by the first mail: a start need not wait for it.
  const { createTransport } = await import("nodemailer");
  const secure = protocol === "smtps:";
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const hasLogin = username !== "";
  return createTransport({
    host,
    port: port === "" ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && hasLogin && !isLoopback(host),
    ...(hasLogin ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } } : {}),
    connectionTimeout: connect_ms_max,
    greetingTimeout: connect_ms_max,
    socketTimeout: silence_ms_max,
  });
}

type Transport = Awaited<ReturnType<typeof openTransport>>;

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function addressOf({ name, address }: Mailbox) {
  return name === undefined ? address : { name, address };
}

/** What nodemailer puts on its errors. */
interface SmtpError {
  readonly message: string;
  readonly code?: string;
  readonly command?: string;
  readonly response?: string;
  readonly responseCode?: number;
  readonly syscall?: string;
  readonly timeoutType?: string;
  readonly rejectedErrors?: readonly SmtpError[];
}

/** Told by who could have taken the mail: a 4xx or 5xx for this mail, a server that lets nobody in, or silence on the way. */
function outcomeOf(thrown: unknown): AttemptOutcome {
  const given: SmtpError = thrown instanceof Error ? thrown : new Error(String(thrown));
  // The one recipient's own error says more than that there was none left.
  const error = given.rejectedErrors?.[0] ?? given;
  const { responseCode: code, response, command = "" } = error;
  const isAboutMail = /^(MAIL FROM|RCPT TO|DATA)/.test(command);
  if (code !== undefined && isAboutMail) {
    const reply = oneLine(response ?? error.message);
    // 530 asks for a login, 503 says that the session went wrong: neither is the mail's fault.
    return code >= 500 && code !== 530 && code !== 503
      ? { kind: "rejected", reply }
      : { kind: "deferred", reply };
  }
  const told = oneLine(error.message);
  const neverBegan =
    code !== undefined ||
    error.syscall === "connect" ||
    error.syscall === "getaddrinfo" ||
    error.timeoutType === "CONNECT_TIMEOUT" ||
    error.timeoutType === "GREETING_TIMEOUT" ||
    ["EDNS", "ETLS", "EAUTH", "ENOAUTH", "ECONFIG"].includes(error.code ?? "");
  return { kind: neverBegan ? "unreachable" : "unknown", error: told };
}

function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}]+/gu, " ")
    .trim()
    .slice(0, reply_length_max);
}
