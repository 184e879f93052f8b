import { addDays, dateOf, partsOf, type LocalDate } from "../../../../kernel/local-date.js";
import { calendarDate, digits } from "../../date-text.js";

/** Where neither file nor caller says which decade a year's last digit is of. */
const first_year = 2020;

/** The day of a year, from 1; undefined for one that it does not have. */
function dayOfYear(year: number, day: number): LocalDate | undefined {
  const date = addDays(dateOf(year, 1, 1), day - 1);
  return day >= 1 && partsOf(date).year === year ? date : undefined;
}

/** YYDDD: of this century. */
export function readYyddd(text: string): LocalDate | undefined {
  return dayOfYear(2000 + digits(text, 0, 2), digits(text, 2, 5));
}

/** CCYYDDD */
export function readCcyyddd(text: string): LocalDate | undefined {
  return dayOfYear(digits(text, 0, 4), digits(text, 4, 7));
}

/** YDDD: the last such day that is not after `asOf`, give or take a day for the zones of the world. */
export function readYddd(text: string, asOf: LocalDate | undefined): LocalDate | undefined {
  const digit = digits(text, 0, 1);
  const day = digits(text, 1, 4);
  if (Number.isNaN(digit) || Number.isNaN(day)) return undefined;
  if (asOf === undefined) return dayOfYear(first_year + digit, day);
  const latest = addDays(asOf, 1);
  const { year } = partsOf(latest);
  for (let candidate = year - ((year - digit) % 10); candidate > year - 20; candidate -= 10) {
    const date = dayOfYear(candidate, day);
    if (date !== undefined && date <= latest) return date;
  }
  return undefined;
}

/** MMDD: the last such day that is not after `asOf`. */
export function readMmdd(text: string, asOf: LocalDate): LocalDate | undefined {
  const month = digits(text, 0, 2);
  const day = digits(text, 2, 4);
  const latest = addDays(asOf, 1);
  const { year } = partsOf(latest);
  // Eight years back there was a 29 February, whatever the century.
  for (let candidate = year; candidate > year - 9; candidate -= 1) {
    const date = calendarDate(candidate, month, day);
    if (date !== undefined && date <= latest) return date;
  }
  return undefined;
}
