import { Seeded } from './seeded.js';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

/** What a receiver does while it is not well. */
export type Illness = 'answers 503' | 'refuses connections' | 'does not answer' | 'answers 401' | 'answers 410';

export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  readonly illness: Illness;
}

export interface PlannedSink {
  readonly agent: number;
  readonly type: 'HTTPS_WEBHOOK' | 'S3';
  /** Of a webhook. */
  readonly authScheme: 'HmacSha256' | 'Bearer';
  readonly outages: readonly Outage[];
  /** How long after an outage its owner looks at it: tests, and recovers. */
  readonly careAfterMs: number;
}

export interface PlannedAgent {
  readonly workspace: number;
  readonly retries: number;
  readonly jobsPerWeek: number;
}

/** Something that somebody does at a time; `of` counts agents, sinks or workspaces from 0. */
type Kind = 'finish' | 'finishUnheard' | 'workerDies' | ChangeKind;
type ChangeKind =
  | ('pause' | 'resume' | 'ruleOff' | 'ruleOn')
  | ('switchOff' | 'switchOn' | 'delete' | 'rotate')
  | ('downgrade' | 'upgrade')
  | ('vaultAway' | 'vaultBack' | 'hostAway' | 'hostBack');

/** One type for each kind, so that a `switch` over the kinds is known to be whole. */
type DeedOf<K extends string> = K extends string
  ? { readonly kind: K; readonly of: number; readonly atMs: number }
  : never;

export type PlannedDeed = DeedOf<Kind>;
export type PlannedChange = DeedOf<ChangeKind>;

export interface WeekPlan {
  readonly workspaces: number;
  readonly agents: readonly PlannedAgent[];
  readonly sinks: readonly PlannedSink[];
  /** In the order of their times, which are milliseconds since the week began. */
  readonly deeds: readonly PlannedDeed[];
}

const SINKS_PER_AGENT = 5;
const BUSY_JOBS = 30;

/** Everything that happens in a week, from a seed alone. */
export function planWeek(seed: number, sinkCount: number): WeekPlan {
  const random = new Seeded(seed);
  const workspaces = 40;
  const agents = Array.from({ length: sinkCount / SINKS_PER_AGENT }, (): PlannedAgent => {
    // Some are busy all day, most finish a job now and then.
    const busy = random.chance(0.1);
    return {
      workspace: random.between(0, workspaces),
      retries: random.between(0, 4),
      jobsPerWeek: busy ? random.between(BUSY_JOBS, 2 * BUSY_JOBS) : random.between(1, 5),
    };
  });
  const sinks = Array.from({ length: sinkCount }, (_, i): PlannedSink => {
    const agent = Math.floor(i / SINKS_PER_AGENT);
    // An outage that nothing was meant for shows nothing.
    const outage = random.chance((agents[agent]?.jobsPerWeek ?? 0) >= BUSY_JOBS ? 0.8 : 0.1);
    return {
      agent,
      // Each agent has endpoints, and a bucket beside them.
      type: i % SINKS_PER_AGENT === 0 ? 'S3' : 'HTTPS_WEBHOOK',
      authScheme: random.chance(0.8) ? 'HmacSha256' : 'Bearer',
      outages: outage ? [planOutage(random)] : [],
      careAfterMs: random.between(0, 6 * HOUR_MS),
    };
  });
  const deeds = [
    ...agents.flatMap(({ jobsPerWeek }, of) => finishes(random, jobsPerWeek, of)),
    ...sinks.flatMap((sink, of) => sink.outages.flatMap((outage) => despair(random, outage, sink.agent, of))),
    ...meddling(random, sinkCount, workspaces),
    ...ourTroubles(random),
  ].sort((a, b) => a.atMs - b.atMs);
  return { workspaces, agents, sinks, deeds };
}

function planOutage(random: Seeded): Outage {
  const fromMs = random.between(0, 5 * DAY_MS);
  const illness = random.pick<Illness>([
    ...(['answers 503', 'refuses connections', 'does not answer', 'answers 503', 'answers 401'] as const),
    ...(random.chance(0.2) ? (['answers 410'] as const) : []),
  ]);
  const lengthMs = random.chance(0.4) ? random.between(10, 40) * HOUR_MS : random.between(10, 500) * MINUTE_MS;
  return { fromMs, toMs: fromMs + lengthMs, illness };
}

function finishes(random: Seeded, jobs: number, of: number): PlannedDeed[] {
  return Array.from({ length: jobs }, () => ({
    kind: random.chance(0.05) ? ('finishUnheard' as const) : ('finish' as const),
    of,
    atMs: random.between(0, WEEK_MS),
  }));
}

/** What an owner may do in the middle of an outage, while something waits. */
function despair(random: Seeded, { fromMs, toMs }: Outage, agent: number, sink: number): PlannedDeed[] {
  const atMs = random.between(fromMs, toMs);
  const backMs = atMs + random.between(1, 20) * HOUR_MS;
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return [
        { kind: 'pause', of: agent, atMs },
        { kind: 'resume', of: agent, atMs: backMs },
      ];
    case 2:
    case 3:
      return [
        { kind: 'ruleOff', of: agent, atMs },
        { kind: 'ruleOn', of: agent, atMs: backMs },
      ];
    case 4:
      return [
        { kind: 'switchOff', of: sink, atMs },
        { kind: 'switchOn', of: sink, atMs: backMs },
      ];
    case 5:
      return [{ kind: 'delete', of: sink, atMs }];
    default:
      return [];
  }
}

function meddling(random: Seeded, sinks: number, workspaces: number): PlannedDeed[] {
  return [
    ...Array.from({ length: 8 }).flatMap((): PlannedDeed[] => {
      const of = random.between(0, workspaces);
      const atMs = random.between(0, 6 * DAY_MS);
      return [
        { kind: 'downgrade', of, atMs },
        { kind: 'upgrade', of, atMs: atMs + random.between(1, 20) * HOUR_MS },
      ];
    }),
    ...Array.from({ length: sinks / 10 }, () => ({
      ...{ kind: 'rotate' as const, of: random.between(0, sinks), atMs: random.between(0, WEEK_MS) },
    })),
  ];
}

function ourTroubles(random: Seeded): PlannedDeed[] {
  const vault = random.between(0, 6 * DAY_MS);
  const host = random.between(0, 6 * DAY_MS);
  return [
    { kind: 'vaultAway', of: 0, atMs: vault },
    { kind: 'vaultBack', of: 0, atMs: vault + 2 * HOUR_MS },
    { kind: 'hostAway', of: 0, atMs: host },
    { kind: 'hostBack', of: 0, atMs: host + HOUR_MS },
    ...Array.from({ length: 25 }, () => ({
      ...{ kind: 'workerDies' as const, of: 0 as const, atMs: random.between(0, WEEK_MS) },
    })),
  ];
}
