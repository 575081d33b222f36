const PATHS = {
  plus: 'M8 3v10M3 8h10',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  check: 'm3 8.5 3.2 3.2L13 5',
  cross: 'm4 4 8 8m0-8-8 8',
  dash: 'M4 8h8',
  right: 'm6 3 5 5-5 5',
  alert: 'M8 2 1.5 13.5h13zM8 6.5v3.2m0 1.8v.2',
  info: 'M8 7.2V11.5M8 4.6v.2M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13',
  lock: 'M4 7.5h8V14H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5',
  key: 'M6.5 9.5 13.5 2.5M11 5l2 2M6.8 11.2a2.6 2.6 0 1 1-3.7-3.7 2.6 2.6 0 0 1 3.7 3.7',
  redo: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  up: 'M8 13V3m0 0L4 7m4-4 4 4',
  clock: 'M8 4.5V8l2.5 1.5M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13',
  webhook: 'M2 8h8m0 0L7 5m3 3-3 3M12 3.5a6.5 6.5 0 0 1 0 9',
} as const;

export type IconName = keyof typeof PATHS;

/** Decorative: hidden from screen readers. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
