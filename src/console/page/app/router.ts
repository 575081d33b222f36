import { useLayoutEffect, useState } from 'preact/hooks';

export type SinkTab = 'deliveries' | 'attempts' | 'settings' | 'test';

export type Route =
  | { readonly screen: 'agents' }
  | { readonly screen: 'agent'; readonly agentId: string }
  | { readonly screen: 'add'; readonly agentId: string; readonly type: string | null }
  | { readonly screen: 'sink'; readonly agentId: string; readonly sinkId: string; readonly tab: SinkTab }
  | { readonly screen: 'delivery'; readonly deliveryId: string }
  | { readonly screen: 'nowhere' };

/** The addresses of the screens. They are in the URL's fragment: the server knows only one page. */
export const to = {
  agents: () => '#/',
  agent: (agentId: string) => `#/agents/${encodeURIComponent(agentId)}`,
  add: (agentId: string, type?: string) => `${to.agent(agentId)}/add${type === undefined ? '' : `/${type}`}`,
  sink: (agentId: string, sinkId: string, tab: SinkTab = 'deliveries') =>
    `${to.agent(agentId)}/data-sources/${encodeURIComponent(sinkId)}${tab === 'deliveries' ? '' : `/${tab}`}`,
  delivery: (deliveryId: string) => `#/deliveries/${encodeURIComponent(deliveryId)}`,
};

const TABS: readonly string[] = ['deliveries', 'attempts', 'settings', 'test'] satisfies readonly SinkTab[];

export function parseRoute(hash: string): Route {
  const [first, id, second, sinkId, tab = 'deliveries'] = segments(hash);
  if (first === undefined) return { screen: 'agents' };
  if (first === 'deliveries' && id !== undefined) return { screen: 'delivery', deliveryId: id };
  if (first !== 'agents' || id === undefined) return { screen: 'nowhere' };
  if (second === undefined) return { screen: 'agent', agentId: id };
  if (second === 'add') return { screen: 'add', agentId: id, type: sinkId ?? null };
  if (second !== 'data-sources' || sinkId === undefined || !TABS.includes(tab)) return { screen: 'nowhere' };
  return { screen: 'sink', agentId: id, sinkId, tab: tab as SinkTab };
}

const MALFORMED = ['malformed'];

function segments(hash: string): string[] {
  try {
    const found = hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent);
    // Browsers treat these as relative path segments in API calls, even when escaped.
    return found.some((segment) => segment === '.' || segment === '..') ? MALFORMED : found;
  } catch {
    return MALFORMED;
  }
}

export function goTo(address: string): void {
  window.location.hash = address;
}

export function useRoute(): Route {
  const [hash, setHash] = useState(window.location.hash);
  // Not in an effect after the first paint, which would miss an immediate navigation.
  useLayoutEffect(() => {
    const listen = (): void => setHash(window.location.hash);
    window.addEventListener('hashchange', listen);
    return () => window.removeEventListener('hashchange', listen);
  }, []);
  return parseRoute(hash);
}
