import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";

/** A mail that the server has read to its end. */
export interface ReceivedMail {
  readonly from: string;
  readonly recipient: string;
  readonly parsed: ParsedMail;
  readonly raw: string;
  /** Whether the client was told so. */
  readonly accepted: boolean;
}

/** What the server does with the n-th attempt (from 1) for a recipient. */
export type Behaviour =
  | "accept"
  /** Refuses the recipient, or the data, with a code. */
  | { readonly at: "rcpt" | "data"; readonly code: number; readonly text: string }
  /** Reads the data, then cuts the connection without an answer. */
  | "drop"
  /** Reads the data, and answers only after this. */
  | { readonly hold: Promise<void> };

/** A real SMTP server on a free port, whose answers a test decides. */
export interface TestSmtpServer {
  readonly port: number;
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** Those that were accepted. */
  to(recipient: string): readonly ReceivedMail[];
  decide(behaviour: (recipient: string, attempt: number) => Behaviour): void;
  attemptsFor(recipient: string): number;
  close(): Promise<void>;
}

export async function startTestSmtpServer(): Promise<TestSmtpServer> {
  const received: ReceivedMail[] = [];
  const attempts = new Map<string, number>();
  const chosen = new Map<string, Behaviour>();
  let decide: (recipient: string, attempt: number) => Behaviour = () => "accept";
  const refusal = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    allowInsecureAuth: true,
    onAuth: ({ username = "" }, _session, done) => done(null, { user: username }),
    onRcptTo({ address }, session, done) {
      const attempt = (attempts.get(address) ?? 0) + 1;
      attempts.set(address, attempt);
      const behaviour = decide(address, attempt);
      chosen.set(session.id, behaviour);
      if (typeof behaviour === "object" && "at" in behaviour && behaviour.at === "rcpt")
        done(refusal(behaviour.code, behaviour.text));
      else done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => void chunks.push(chunk));
      stream.on("end", () => {
        const raw = Buffer.concat(chunks);
        const behaviour = chosen.get(session.id) ?? "accept";
        const [to] = session.envelope.rcptTo;
        const from = session.envelope.mailFrom;
        const note = async (accepted: boolean) =>
          void received.push({
            from: from === false ? "" : from.address,
            recipient: to?.address ?? "",
            parsed: await simpleParser(raw),
            raw: raw.toString("latin1"),
            accepted,
          });
        const answer = async () => {
          if (behaviour === "accept") {
            await note(true);
            done();
          } else if (behaviour === "drop") {
            await note(false);
            for (const connection of server.connections as unknown as Set<{ id: string; _socket: Socket }>)
              if (connection.id === session.id) connection._socket.destroy();
          } else if ("hold" in behaviour) {
            await note(false);
            await behaviour.hold;
            done();
          } else {
            await note(false);
            done(refusal(behaviour.code, behaviour.text));
          }
        };
        answer().catch((error: unknown) => done(error instanceof Error ? error : new Error(String(error))));
      });
    },
  });
  // A client that is killed, or a connection that is cut, is what these tests are about.
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    received,
    to: (recipient) => received.filter((mail) => mail.recipient === recipient && mail.accepted),
    decide: (behaviour) => void (decide = behaviour),
    attemptsFor: (recipient) => attempts.get(recipient) ?? 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
