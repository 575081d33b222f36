import type { ComponentChildren } from 'preact';
import { Brand } from '../ui/brand.js';
import { Button } from '../ui/button.js';
import { Icon } from '../ui/icons.js';
import { fromNow } from '../text/format.js';
import { useNow } from './clock.js';
import { silentSince } from './connection.js';
import { to } from './router.js';
import { useSession } from './session.js';
import { useStore } from './store.js';

export function Shell({ children }: { children: ComponentChildren }) {
  const { signOut } = useSession();
  const skip = (event: Event): void => {
    event.preventDefault();
    document.querySelector<HTMLElement>('h1')?.focus();
  };
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <div class="wide top-inner">
          <a class="home" href={to.agents()} aria-label="Data sinks: all agents">
            <Brand />
          </a>
          {signOut && (
            <Button kind="quiet" onClick={signOut}>
              Sign out
            </Button>
          )}
        </div>
      </header>
      <div role="status">
        <OfflineBanner />
      </div>
      <main id="content" class="wide content">
        {children}
      </main>
    </>
  );
}

/** Keeps the current screen and marks it as outdated. */
function OfflineBanner() {
  const since = useStore(silentSince);
  const nowMs = useNow(5_000);
  if (since === null) return null;
  return (
    <div class="offline">
      <div class="wide offline-inner">
        <Icon name="alert" />
        <span>
          <strong>No connection to the platform.</strong> You see what was known {fromNow(new Date(since), nowMs)}; the
          page tries again by itself.
        </span>
      </div>
    </div>
  );
}
