import type { FastifyRequest, preHandlerHookHandler } from "fastify";
import { requireKind, type Caller, type KeyKind } from "../identity/index.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Services } from "../services.js";

const callers = new WeakMap<object, Caller>();

/**
 * Lets a request through when its key is of one of these kinds. With a key in the cache this never yields, which
 * one-event requests feel.
 * @throws Refusal 401 without a valid key, 403 for another kind
 */
export function authenticated(
  services: Pick<Services, "identity">,
  ...kinds: readonly KeyKind[]
): preHandlerHookHandler {
  const admit = (request: FastifyRequest, caller: Caller | undefined) => {
    if (caller === undefined) throw refuseUnknownKey(request.headers.authorization);
    requireKind(caller, ...kinds);
    callers.set(request, caller);
  };
  return (request, _reply, done) => {
    try {
      const found = services.identity.authenticate(request.headers.authorization);
      if (found instanceof Promise) {
        found
          .then((caller) => {
            admit(request, caller);
            done();
          })
          .catch(done);
        return;
      }
      admit(request, found);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

/** Who sent a request that `authenticated` let through. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error(`${request.url} reads its caller without being authenticated`);
  return caller;
}

export function refuseUnknownKey(header: string | undefined): Refusal {
  const detail =
    header === undefined
      ? "Send an API key: Authorization: Bearer weir_secret_…"
      : "This API key is not known: it may be revoked, cut off, or of another Weir.";
  return new Refusal(makeProblem("unauthenticated", 401, "No valid API key", detail));
}
