import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icons.js';

type CopyState = 'ready' | 'copied' | 'failed';

const TEXTS: Readonly<Record<CopyState, string>> = {
  ready: 'Copy',
  copied: 'Copied',
  failed: 'Select and copy by hand',
};

/** @param what accessible name of the copied text */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<CopyState>('ready');
  useEffect(() => {
    if (state === 'ready') return;
    const timer = setTimeout(() => setState('ready'), 2_500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async (): Promise<void> => setState((await wasCopied(text)) ? 'copied' : 'failed');
  return (
    <button type="button" class="button button-quiet copy" onClick={() => void copy()}>
      <Icon name={state === 'copied' ? 'check' : 'copy'} />
      <span aria-live="polite">{TEXTS[state]}</span>
      <span class="visually-hidden"> {what}</span>
    </button>
  );
}

/** The clipboard is available in secure contexts only. */
async function wasCopied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
