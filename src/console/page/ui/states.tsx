import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/problem.js';
import type { Resource } from '../app/use-resource.js';
import { Button } from './button.js';
import { Icon, type IconName } from './icons.js';
import { ProblemNotice } from './notice.js';

/** Grey lines where content is about to be. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="visually-hidden">Loading…</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class="skeleton-line" aria-hidden="true" />
      ))}
    </div>
  );
}

interface EmptyParts {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ComponentChildren;
  readonly action?: ComponentChildren;
}

/** There is nothing yet, and what to do about it. */
export function Empty({ icon, title, children, action }: EmptyParts) {
  return (
    <div class="empty">
      <span class="empty-mark">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}

interface LoadedParts<T> {
  readonly of: Resource<T>;
  readonly lines?: number;
  readonly children: (data: T) => ComponentChildren;
}

/** What was loaded; before that its place, or why it could not be loaded. */
export function Loaded<T>({ of: { data, problem, reload }, lines, children }: LoadedParts<T>) {
  if (data !== null) {
    // Without an answer the banner at the top of the page says so.
    const isRefused = problem !== null && problem.code !== 'offline';
    return (
      <>
        {isRefused && <ProblemNotice problem={problem} />}
        {children(data)}
      </>
    );
  }
  return problem ? <Failed problem={problem} onRetry={reload} /> : <Skeleton lines={lines} />;
}

function Failed({ problem, onRetry }: { problem: Problem; onRetry: () => Promise<void> }) {
  const isMissing = problem.status === 404;
  return (
    <div class="stack">
      <ProblemNotice problem={problem} />
      {!isMissing && (
        <div>
          <Button onClick={() => void onRetry()}>Try again</Button>
        </div>
      )}
    </div>
  );
}
