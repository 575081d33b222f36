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
  /** Screen readers announce `alert` at once. */
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

/** An error of the API. A plan without data sinks has its own card. */
export function ProblemNotice({ problem }: { problem: Problem | null }) {
  if (!problem) return null;
  if (problem.code === 'plan-required') return <UpgradeCard detail={problem.detail} />;
  return (
    <Notice tone="bad" title={problem.title} role="alert">
      {problem.detail}
      {problem.isOfHost && <WhatHostsDo />}
    </Notice>
  );
}

/** For people who run the platform: their customers cannot do anything about it. */
function WhatHostsDo() {
  return (
    <p>
      This platform refused the call before its data sinks were asked. If you run it: exempt them from your guards,
      which takes nothing from their own checks, with the module’s option{' '}
      <code>decorators: [Public(), SkipThrottle()]</code>. docs/existing-application.md has more.
    </p>
  );
}
