// Which of the reasons that make a folder due a validation settles (R34, R35). Pure.

/** Those that are about tables: `activity-code:…` comes from a patch, `data-type:…` from `element set`, the others from the folder's settings. */
const SETTLED = /^(activity-code:.*|activity-codes|data-type:.*|modules|live-folder:.*)$/;

export function settledByValidation(reason: string): boolean {
  return SETTLED.test(reason);
}
