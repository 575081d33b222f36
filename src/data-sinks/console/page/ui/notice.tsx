import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/problem.js';
import { Icon, type IconName } from './icons.js';
import { UpgradeCard } from './upgrade-card.js';

type NoticeTone = 'info' | 'ok' | 'warn' | 'bad';

const ICONS: Readonly<Record<NoticeTone, IconName>> = { info: 'info', ok: 'check', warn: 'alert', bad: 'alert' };

interface NoticeParts {
  readonly tone: NoticeTone;
  readonly title?: string;
  readonly children: ComponentChildren;
  /** `alert` is read out at once. */
  readonly role?: 'alert' | 'status';
}

export function Notice({ tone, title, children, role }: NoticeParts) {
  return (
    <div class={`notice notice-${tone}`} role={role}>
      <Icon name={ICONS[tone]} />
      <div>
        {title && <strong>{title}</strong>}
        <div>{children}</div>
      </div>
    </div>
  );
}

/** What the API refused. A plan that is too small is no error: it has a card of its own. */
export function ProblemNotice({ problem }: { problem: Problem | null }) {
  if (!problem) return null;
  if (problem.code === 'plan-required') return <UpgradeCard />;
  return (
    <Notice tone="bad" title={problem.title} role="alert">
      {problem.detail}
    </Notice>
  );
}
