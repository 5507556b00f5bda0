// Which of the reasons that make a folder due a validation settles (R34, R35). Pure.

/** `activity-code:…` comes from a patch, `older-patch:…` from one that came again after later ones, `data-type:…` from `element set`, the others from the folder's settings, and from its live folder. */
const SETTLED =
  /^(activity-code:.*|activity-codes|data-type:.*|languages|legislations|live-folder:.*|modules|older-patch:.*|parent)$/;

export function settledByValidation(reason: string): boolean {
  return SETTLED.test(reason);
}
