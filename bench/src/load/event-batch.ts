/** A body of events whose ids can be made new by writing over them, so that the generator costs little. */
export interface BatchTemplate {
  readonly body: Buffer;
  /** Where each event's number begins; it has `number_digits` characters. */
  readonly numberOffsets: readonly number[];
  readonly events: number;
}

export const number_digits = 12;
const regions = ["eu-west-1", "eu-north-1", "us-east-1", "ap-south-1"];

/** The meters that every event of the bench is measured by. */
export const bench_meters = [
  {
    slug: "bench_tokens",
    eventType: "request",
    aggregation: "SUM",
    valueProperty: "$.tokens",
    groupBy: { region: "$.region" },
  },
  { slug: "bench_requests", eventType: "request", aggregation: "COUNT" },
] as const;

/** One event as it is sent, some 250 bytes. */
export function eventText(run: string, number: string, subject: number, value: number, time: string): string {
  const region = regions[value % regions.length] ?? "";
  const data = `{"tokens":${100 + (value % 900)},"region":"${region}","model":"m-large-2","status":"ok"}`;
  return (
    `{"specversion":"1.0","id":"${run}-${number}","source":"bench/gateway","type":"request",` +
    `"subject":"customer-${String(subject).padStart(5, "0")}","time":"${time}","datacontenttype":"application/json","data":${data}}`
  );
}

/** @param run  six characters that no other run shares */
export function makeTemplate(run: string, events: number, seed: number, batch: boolean): BatchTemplate {
  const time = new Date().toISOString();
  const numberOffsets: number[] = [];
  let text = batch ? "[" : "";
  for (let index = 0; index < events; index += 1) {
    if (index > 0) text += ",";
    const mark = "#".repeat(number_digits);
    const event = eventText(run, mark, (seed * 7919 + index * 104_729) % 1_000, seed * 31 + index * 17, time);
    numberOffsets.push(text.length + event.indexOf(mark));
    text += event;
  }
  return { body: Buffer.from(batch ? `${text}]` : text, "latin1"), numberOffsets, events };
}

/** Gives every event of the body a new number, from `first` on. */
export function renumber(template: BatchTemplate, first: number): void {
  for (let index = 0; index < template.events; index += 1) {
    let rest = first + index;
    let at = (template.numberOffsets[index] ?? 0) + number_digits - 1;
    for (let digit = 0; digit < number_digits; digit += 1) {
      template.body[at] = 48 + (rest % 10);
      rest = Math.floor(rest / 10);
      at -= 1;
    }
  }
}
