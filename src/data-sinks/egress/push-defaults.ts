import { headersToSend } from '../domain/custom-headers.js';
import { DEFAULT_ALLOWED_PORTS } from '../domain/endpoint-url.js';
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

export const DEFAULT_PUSH_CAPS: PushCaps = Object.freeze({ answerBytes: 16_384, answerHeaderBytes: 65_536 });

export type ResolvedPushOptions = Required<Omit<PushClientOptions, 'earlyAnswerWaitMs' | 'deadlines' | 'caps'>> & {
  readonly deadlines: PushDeadlines;
  readonly caps: PushCaps;
  /** Null: derived from the connect time. */
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

/** Alternating names and values. Ours come first; a custom header cannot override them. */
export function requestHeaders(request: PushRequest, userAgent: string): readonly string[] {
  const list: string[] = ['user-agent', userAgent, 'accept-encoding', 'identity'];
  for (const [name, value] of Object.entries(request.headers)) list.push(name, value);
  for (const { name, value } of headersToSend(request.customHeaders, Object.keys(request.headers))) {
    list.push(name, value);
  }
  return list;
}
