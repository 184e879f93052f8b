import type { FilledOrganization } from "./filled-organization.js";

/** A asks, with its own keys; what is B's is none of its business. */
export interface TwoOrganizations {
  readonly a: FilledOrganization;
  readonly b: FilledOrganization;
}

/** Marks what is B's: in its slugs, keys, names and texts. */
export const mark = "zebra";
