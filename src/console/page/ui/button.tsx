import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icons.js';

interface ButtonParts {
  readonly children: ComponentChildren;
  readonly onClick?: () => void;
  readonly kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  readonly type?: 'button' | 'submit';
  readonly isBusy?: boolean;
  readonly disabled?: boolean;
  readonly icon?: IconName;
  readonly describedBy?: string;
}

/** Stays focusable while busy, so that keyboard users keep their place. */
export function Button({ children, onClick, kind = 'plain', type = 'button', isBusy = false, ...more }: ButtonParts) {
  return (
    <button
      type={type}
      class={`button button-${kind}`}
      onClick={isBusy ? undefined : onClick}
      disabled={more.disabled}
      aria-disabled={isBusy}
      aria-busy={isBusy}
      aria-describedby={more.describedBy}
    >
      {isBusy ? <span class="spinner" aria-hidden="true" /> : more.icon && <Icon name={more.icon} />}
      {children}
    </button>
  );
}

interface LinkParts {
  readonly href: string;
  readonly children: ComponentChildren;
  readonly kind?: 'primary' | 'plain';
  readonly icon?: IconName;
}

/** A link that looks like a button. */
export function ButtonLink({ href, children, kind = 'plain', icon }: LinkParts) {
  return (
    <a class={`button button-${kind}`} href={href}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}
