import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const TICK_MS = 10;

/** CPU time in milliseconds that a process has used, its children too where they are asked for. */
export function cpuMs(pid, { withChildren = false } = {}) {
  const pids = withChildren ? [pid, ...childrenOf(pid)] : [pid];
  return pids.reduce((sum, one) => sum + ownCpuMs(one), 0);
}

function ownCpuMs(pid) {
  const fields = statOf(pid);
  // utime and stime, and those of children that have ended.
  return fields ? [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) * TICK_MS : 0;
}

function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(statOf(name)?.[1]) === pid);
}

function statOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  } catch {
    return null;
  }
}

/** CPU time in milliseconds that the whole machine has used, whoever used it. */
export function busyMs() {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1);
  return [user, nice, system, irq, softirq].reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

/** Milliseconds that a small write and its flush take, the median of some. */
export function flushMs(folder, times = 100) {
  const file = join(folder, `flush-${process.pid}`);
  const descriptor = openSync(file, 'w');
  const page = Buffer.alloc(8_192, 'x');
  const taken = Array.from({ length: times }, (_, n) => {
    const startedAt = nowMs();
    writeSync(descriptor, page, 0, page.length, n * page.length);
    fdatasyncSync(descriptor);
    return nowMs() - startedAt;
  });
  closeSync(descriptor);
  rmSync(file);
  return median(taken);
}

/** Resident memory in MB. */
export function rssMb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Watches a process's memory until `stop()`, which says the peak in MB. */
export function watchRss(pid) {
  let peak = rssMb(pid);
  const timer = setInterval(() => (peak = Math.max(peak, rssMb(pid))), 20);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}

export function median(values) {
  return percentile(values, 50);
}

export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))];
}

/** The smallest, the median and the largest. */
export function spread(values, digits = 2) {
  return [Math.min(...values), median(values), Math.max(...values)].map((value) => Number(value.toFixed(digits)));
}

/** Waits for a state; an answer that does not come in time ends the bench. */
export async function until(reached, what, limitMs = 300_000) {
  for (const deadline = Date.now() + limitMs; Date.now() < deadline; await delay(10)) {
    if (await reached()) return;
  }
  throw new Error(`not reached in ${limitMs / 1000} s: ${what}`);
}

export const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
