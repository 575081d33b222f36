import { DEFAULT_ALLOWED_PORTS } from '../core/endpoint-url.js';
import type { PushCaps, PushClientOptions, PushDeadlines, PushRequest } from './push-exchange.js';
import { defaultResolver } from './resolver.js';

export const DEFAULT_PUSH_DEADLINES: PushDeadlines = Object.freeze({
  dnsMs: 5_000,
  connectMs: 10_000,
  tlsMs: 10_000,
  uploadIdleMs: 30_000,
  responseHeadersMs: 30_000,
  responseBodyMs: 10_000,
});

export const DEFAULT_PUSH_CAPS: PushCaps = Object.freeze({ answerBytes: 16_384, answerHeaderBytes: 16_384 });

export type ResolvedPushOptions = Required<Omit<PushClientOptions, 'earlyAnswerWaitMs' | 'deadlines' | 'caps'>> & {
  readonly deadlines: PushDeadlines;
  readonly caps: PushCaps;
  /** Null: by the time that connecting took. */
  readonly earlyAnswerWaitMs: number | null;
};

export function resolvePushOptions(options: PushClientOptions): ResolvedPushOptions {
  return {
    policy: options.policy,
    userAgent: options.userAgent,
    allowedPorts: options.allowedPorts ?? DEFAULT_ALLOWED_PORTS,
    resolver: options.resolver ?? defaultResolver(options.policy),
    deadlines: { ...DEFAULT_PUSH_DEADLINES, ...options.deadlines },
    caps: { ...DEFAULT_PUSH_CAPS, ...options.caps },
    ca: options.ca ?? [],
    connectionsPerOrigin: options.connectionsPerOrigin ?? 16,
    connectionsInAll: options.connectionsInAll ?? 256,
    keepAliveMs: options.keepAliveMs ?? 4_000,
    earlyAnswerThresholdBytes: options.earlyAnswerThresholdBytes ?? 65_536,
    earlyAnswerWaitMs: options.earlyAnswerWaitMs ?? null,
    now: options.now ?? Date.now,
    monotonicNow: options.monotonicNow ?? (() => performance.now()),
  };
}

/** Names and values in turn. Ours come first, and a custom header cannot repeat one of them. */
export function requestHeaders(request: PushRequest, userAgent: string): readonly string[] {
  const list: string[] = ['user-agent', userAgent, 'accept-encoding', 'identity'];
  const taken = new Set(['user-agent', 'accept-encoding', 'content-length', 'host']);
  const custom = request.customHeaders.map(({ name, value }) => [name, value] as const);
  for (const [name, value] of [...Object.entries(request.headers), ...custom]) {
    const lower = name.toLowerCase();
    if (taken.has(lower)) continue;
    taken.add(lower);
    list.push(name, value);
  }
  return list;
}
