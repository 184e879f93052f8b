/** What became of a grant's amount, in minor units; the three parts never come to more than the amount. */
export interface GrantBalance {
  readonly amount: bigint;
  /** Drawn by invoices, less what was given back. */
  readonly used: bigint;
  readonly voided: bigint;
  /** Booked as expired. An invoice for a service period before the expiry may still draw on it. */
  readonly expired: bigint;
}

/** What may still be drawn: expiry is a matter of the service period, not of the day on which the invoice is made. */
export function remainingOf({ amount, used, voided }: GrantBalance): bigint {
  return amount - used - voided;
}

/**
 * Draws on a grant. What was booked as expired is drawn last, and comes back from there.
 * @throws RangeError when it is nothing, or more than remains
 */
export function draw(balance: GrantBalance, amount: bigint): { balance: GrantBalance; revived: bigint } {
  const remaining = remainingOf(balance);
  if (amount <= 0n || amount > remaining)
    throw new RangeError(`cannot draw ${amount} on a grant of which ${remaining} remains`);
  const left = remaining - amount;
  const expired = balance.expired < left ? balance.expired : left;
  return {
    balance: { ...balance, used: balance.used + amount, expired },
    revived: balance.expired - expired,
  };
}

/** Gives back what an invoice drew. @throws RangeError when it is more than was used */
export function giveBack(balance: GrantBalance, amount: bigint): GrantBalance {
  if (amount <= 0n || amount > balance.used)
    throw new RangeError(`cannot give back ${amount} to a grant of which ${balance.used} is used`);
  return { ...balance, used: balance.used - amount };
}

/** Books what is left as expired; nothing when that was done. */
export function expire(balance: GrantBalance): { balance: GrantBalance; amount: bigint } {
  const amount = remainingOf(balance) - balance.expired;
  return { balance: { ...balance, expired: balance.expired + amount }, amount };
}

/** Takes away what is left. */
export function withdraw(balance: GrantBalance): { balance: GrantBalance; amount: bigint } {
  const amount = remainingOf(balance) - balance.expired;
  return { balance: { ...balance, voided: balance.voided + amount }, amount };
}

/** Takes away a part of what is left. @throws RangeError when it is nothing, or more than that */
export function takeOff(balance: GrantBalance, amount: bigint): GrantBalance {
  const left = remainingOf(balance) - balance.expired;
  if (amount <= 0n || amount > left)
    throw new RangeError(`cannot take ${amount} off a grant of which ${left} is left`);
  return { ...balance, voided: balance.voided + amount };
}

/** Undoes that. @throws RangeError when it is nothing, or more than was taken away */
export function reinstate(balance: GrantBalance, amount: bigint): GrantBalance {
  if (amount <= 0n || amount > balance.voided)
    throw new RangeError(`cannot reinstate ${amount} of a grant of which ${balance.voided} is voided`);
  return { ...balance, voided: balance.voided - amount };
}
