/** As Stripe gives times: whole seconds. */
export function seconds(at_ms: number): number {
  return Math.floor(at_ms / 1_000);
}
