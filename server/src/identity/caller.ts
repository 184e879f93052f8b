import type { ApiKeyId, OrganizationId } from "../kernel/ids.js";
import type { KeyKind } from "./core/index.js";
import { makeProblem, Refusal } from "../kernel/problem.js";

/** Who a request comes from, as its key says. */
export interface Caller {
  readonly organization: OrganizationId;
  readonly key: ApiKeyId;
  readonly kind: KeyKind;
  readonly role?: string;
}

/** @throws Refusal 403 unless the caller's key is of one of these kinds */
export function requireKind(caller: Caller, ...kinds: readonly KeyKind[]): void {
  if (kinds.includes(caller.kind)) return;
  const wanted = kinds.join(" or ");
  const article = /^[aeiou]/.test(wanted) ? "an" : "a";
  const detail = `This needs ${article} ${wanted} key; the request came with a key of kind ${caller.kind}.`;
  throw new Refusal(
    makeProblem("wrong-key-kind", 403, "The key is of the wrong kind", detail, {
      kind: caller.kind,
      needed: kinds,
    }),
  );
}
