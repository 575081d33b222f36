// Loaded before anything else (`node --import`): this process believes that it is CHAOS_CLOCK_AHEAD_MS later.
const aheadMs = Number(process.env.CHAOS_CLOCK_AHEAD_MS);
const RightDate = Date;

globalThis.Date = class Date extends RightDate {
  constructor(...parts) {
    if (parts.length === 0) super(RightDate.now() + aheadMs);
    else super(...parts);
  }

  static now() {
    return RightDate.now() + aheadMs;
  }
};
