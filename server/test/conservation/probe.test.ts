import { test } from "vitest";
import { readdirSync, readFileSync } from "node:fs";
const pm: number[] = [];
const parents = new Map<number, [number, number]>();
import { createLog } from "../../src/kernel/log.js";
import { Batch } from "./batch.js";
import { describeStep, describePlan } from "./plan.js";
import { planOf } from "./seeded-plan.js";

test("probe", async () => {
  const t0 = performance.now();
  const lap = (name: string) => {
    const cpu = process.cpuUsage();
    console.log(name, Math.round(performance.now() - t0), "ms wall", Math.round((cpu.user + cpu.system) / 1000), "ms cpu");
  };
  const places = new Map<string, number>();
  const batch = await Batch.open({ log: createLog((process.env["LOG"] ?? "silent") as "debug"), ...(process.env["PLACES"] ? { places } : {}) });
  lap("open");
  const from = Number(process.env["FROM"] ?? 1), n = Number(process.env["N"] ?? 5);
  const plans = Array.from({ length: n }, (_, index) => planOf(from + index, Number(process.env["C"] ?? 20))).map((plan) => process.env["CRASH"] ? plan : { ...plan, crashes: [] });
  await batch.playAll(plans, Number(process.env["AT"] ?? 10), (played) => {
    lap(`seed ${played.plan.seed}: ${played.violations.length} violations, ${played.boundaries} boundaries, ${played.deaths.length} deaths`);
    if (played.violations.length > 0) {
      console.log(played.violations.slice(0, 12).join("\n"));
      if (process.env["SHOW"]) { console.log(describePlan({ ...played.plan, steps: [] }).join("\n")); for (const { step, came } of played.outcomes) console.log(describeStep(step), "→", came); console.log(played.deaths); }
    }
  });
  lap(`all, ${batch.lives} lives`);
  if (process.env["PLACES"]) console.log([...places].sort((a, b) => b[1] - a[1]).slice(0, 80).map(([k, v]) => `${v} ${k}`).join("\n"));
  if (process.env["PGCPU"]) {
    const hz = 100;
    let sum = 0;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const ppid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        const cmd = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        const mine = cmd.includes("weir-test-postgres") && readFileSync(`/proc/${pid}/environ`).length >= 0;
        if (mine) { pm.push(Number(pid)); sum += Number(fields[13]) + Number(fields[14]); }
        parents.set(Number(pid), [ppid, Number(fields[11]) + Number(fields[12])]);
      } catch {}
    }
    for (const [, [ppid, ticks]] of parents) if (pm.includes(ppid)) sum += ticks;
    for (const one of pm) sum += parents.get(one)?.[1] ?? 0;
    console.log("postgres cpu s (all test servers of this user)", sum / hz, pm);
  }
  await batch.close();
}, 3_000_000);
