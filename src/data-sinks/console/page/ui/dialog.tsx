import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface DialogParts {
  readonly title: string;
  readonly onClose: () => void;
  /** For what is read rather than filled in. */
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

/**
 * The browser's own modal dialog: it keeps the focus inside, closes with Escape and gives the focus back to what opened
 * it. Render it only while it is open.
 */
export function Dialog({ title, onClose, isWide = false, children }: DialogParts) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    const opener = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  const cancel = (event: Event): void => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={element} class={isWide ? 'dialog dialog-wide' : 'dialog'} aria-labelledby={titleId} onCancel={cancel}>
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}
