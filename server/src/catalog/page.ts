/** A page of a list: so many items after the one with this id. */
export interface Page {
  readonly after?: string;
  readonly limit: number;
}
