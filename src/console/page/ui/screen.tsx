import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons.js';

export interface Crumb {
  readonly text: string;
  readonly href: string;
}

interface ScreenParts {
  readonly title: string;
  readonly crumbs?: readonly Crumb[];
  readonly beside?: ComponentChildren;
  readonly lead?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A screen's frame. Takes the focus when opened, so that screen readers and the keyboard start at its title. */
export function Screen({ title, crumbs = [], beside, lead, actions, children }: ScreenParts) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Data sinks`;
  }, [title]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <>
      {crumbs.length > 0 && (
        <nav class="crumbs" aria-label="You are here">
          <ol>
            {crumbs.map(({ text, href }) => (
              <li key={href}>
                <a href={href}>{text}</a>
                <Icon name="right" />
              </li>
            ))}
          </ol>
        </nav>
      )}
      <header class="screen-head">
        <div class="screen-title">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {beside}
        </div>
        {actions && <div class="actions">{actions}</div>}
        {lead && <div class="lead">{lead}</div>}
      </header>
      {children}
    </>
  );
}
