import { type ComponentChildren, createContext } from 'preact';
import { useContext, useMemo, useState } from 'preact/hooks';
import type { PageSettings } from '../../console.options.js';
import { type Api, createApi } from '../api/api.js';
import { openClient } from '../api/client.js';
import { Problem } from '../api/problem.js';
import { Login } from '../screens/login.js';

/** Lives as long as the tab: `sessionStorage` is not shared between tabs. */
const TOKEN_KEY = 'data-sinks-console:token';

export interface Session {
  readonly api: Api;
  readonly settings: PageSettings;
  /** Null when authenticated by the host's session; then the host handles sign-out. */
  readonly signOut: (() => void) | null;
}

const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('useSession is for what SessionGate lets in');
  return session;
}

export function useApi(): Api {
  return useSession().api;
}

interface Access {
  /** Null: authenticated by the host's session. */
  readonly token: string | null;
}

/** Shows the login until there is a token, or the host's session is accepted. */
export function SessionGate({ settings, children }: { settings: PageSettings; children: ComponentChildren }) {
  const [access, setAccess] = useState<Access | null>(() => firstAccess(settings));
  const [refusal, setRefusal] = useState<string | null>(null);
  const session = useMemo<Session | null>(() => {
    if (!access) return null;
    const leave = (why: string | null): void => {
      sessionStorage.removeItem(TOKEN_KEY);
      setRefusal(why);
      setAccess(null);
    };
    const wasToken = access.token !== null;
    const onRefused = (): void => leave(wasToken ? 'The token is not valid any more. Enter another one.' : null);
    return {
      api: createApi(openClient({ baseUrl: apiUrl(settings), token: access.token, onRefused })),
      settings,
      signOut: wasToken ? () => leave(null) : null,
    };
  }, [access, settings]);

  if (session) return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
  const enter = async (token: string): Promise<void> => {
    await checkToken(settings, token);
    sessionStorage.setItem(TOKEN_KEY, token);
    setRefusal(null);
    setAccess({ token });
  };
  return <Login refusal={refusal} signInUrl={settings.signInUrl} onEnter={enter} />;
}

function firstAccess(settings: PageSettings): Access | null {
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token !== null) return { token };
  return settings.session ? { token: null } : null;
}

function apiUrl({ api }: PageSettings): string {
  return new URL(api, window.location.href.split('#')[0]).href;
}

/**
 * @throws Problem when the token is refused. A token that may not list agents is accepted, since it may do other
 *   things. If the host lists no agents to it, any token would seem valid, so the module is asked, which checks the
 *   token first.
 */
async function checkToken(settings: PageSettings, token: string): Promise<void> {
  const api = createApi(openClient({ baseUrl: apiUrl(settings), token, onRefused: () => undefined }));
  const isLetIn = await api.agents().then(() => true, unlessRefused);
  if (!isLetIn) await api.delivery(NO_DELIVERY).catch(unlessRefused);
}

/** Of nobody. */
const NO_DELIVERY = `dlv_${'0'.repeat(26)}`;

/** @throws unless it is an answer to somebody who is let in */
function unlessRefused(error: unknown): false {
  const isAnswer = error instanceof Problem && !error.isOfHost && [403, 404, 422].includes(error.status ?? 0);
  if (!isAnswer) throw error;
  return false;
}
