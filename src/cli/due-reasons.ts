// Why a folder is due, in words: all that was written to its live folder is one reason.
import type { Messages } from './messages/en.ts';

export function dueReasons(reasons: readonly string[], { dueReason }: Pick<Messages['report'], 'dueReason'>): readonly string[] {
  const live = reasons.filter((reason) => reason.startsWith('live-folder:'));
  const [first, ...more] = live;
  return [
    ...(first === undefined ? [] : [dueReason(first, ...more)]),
    ...reasons.filter((reason) => !live.includes(reason)).map((reason) => dueReason(reason)),
  ];
}
