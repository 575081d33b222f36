/** The console's mark. */
export function Brand() {
  return (
    <span class="brand">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="8" class="brand-ground" />
        <path d="M7 16h11m0 0-4.5-4.5M18 16l-4.5 4.5" class="brand-arrow" />
        <path d="M21.5 9.5a8 8 0 0 1 0 13" class="brand-bow" />
      </svg>
      Data sinks
    </span>
  );
}
