import type { FastifyInstance } from "fastify";

/** The address cannot be listened on; the message says what to change. */
export class AddressUnavailable extends Error {
  override readonly name = "AddressUnavailable";
  readonly retry = false;
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE:
    "another program listens there. Stop it, or choose another port by WEIR_HTTP_PORT (0 takes any)",
  EACCES: "this user may not. Choose a port from 1024 on by WEIR_HTTP_PORT",
  EADDRNOTAVAIL: "this machine does not have the address. Choose another by WEIR_HOST",
  ENOTFOUND: "there is no such name. Choose another by WEIR_HOST",
};

/** @returns the URL it listens on. @throws AddressUnavailable */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    const reason = reasons[String((error as { code?: unknown }).code)];
    if (reason === undefined) throw error;
    throw new AddressUnavailable(`Weir cannot listen on ${host}:${port}: ${reason}.`, { cause: error });
  }
}
