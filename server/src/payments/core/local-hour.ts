import { hour, type Instant } from "../../kernel/instant.js";
import { addDays, calendarIn, dateAt, startOfLocalDate, type LocalDate } from "../../kernel/local-date.js";
import type { TimeZone } from "../../kernel/time-zone.js";

/** When an hour of a day begins somewhere. @param hourOfDay 0 to 23 */
export function localHour(date: LocalDate, hourOfDay: number, zone: TimeZone): Instant {
  const start = startOfLocalDate(date, zone);
  const at = (start + hourOfDay * hour) as Instant;
  // On a day of 23 or 25 hours the clock on the wall is an hour off: that is near enough, and stays on its day.
  const next = startOfLocalDate(addDays(date, 1), zone);
  return at < next ? at : ((next - hour) as Instant);
}

/** The next time after `now` that an hour of the day begins somewhere. */
export function nextLocalHour(now: Instant, hourOfDay: number, zone: TimeZone): Instant {
  // A date that a zone skipped has the hours of the next one: three dates are enough.
  for (let date = dateAt(calendarIn(zone), now), looks = 0; looks < 3; date = addDays(date, 1), looks += 1) {
    const at = localHour(date, hourOfDay, zone);
    if (at > now) return at;
  }
  throw new RangeError(`no day in ${zone} has the hour ${hourOfDay}`);
}
