import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface DialogParts {
  readonly title: string;
  readonly onClose: () => void;
  /** Wider, for content to be read. */
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

/**
 * The browser's modal dialog: it traps the focus, closes with Escape and returns the focus. Render it only while open.
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
