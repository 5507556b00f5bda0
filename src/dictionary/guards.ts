// What guards a line: its activity code, its block's, its parent line's, or that it is a specific or vertical action (R8, R9, R19). Pure.
import { isAuthorized, isScriptAuthorized, isSpecific } from './activity-codes.ts';
import { blockCode, blockOf } from './blocks.ts';
import type { ElementType } from './element-types.ts';
import { parentLine, patchTypeOfAction } from './element-types.ts';
import type { Fields } from './fields.ts';
import { fieldValue } from './fields.ts';
import type { MergeContext } from './merge-record.ts';

type Context = Pick<MergeContext, 'authorization' | 'patchType' | 'exactly'>;

/** A line as far as its guard goes; fields may not be loaded. */
interface Line {
  readonly tag: string;
  readonly key: string;
  readonly activity: string;
  readonly fields?: Fields;
}

/** One side of a merge: the element that its lines belong to. */
export interface Side {
  readonly type: ElementType | undefined;
  readonly header: Fields | undefined;
  /** A line of the element by tag and key. */
  line(tag: string, key: string): Line | undefined;
}

/** Whether a code is specific and nobody authorised it. */
export function isClosed(code: string, { authorization }: Context): boolean {
  return isSpecific(code) && !isAuthorized(authorization, code);
}

/** A block is guarded by its code, or by its name: then a code with its first letter lets it in, as with scripts. */
export function isClosedBlock(code: string, type: ElementType | undefined, context: Context): boolean {
  const byName = type?.blocks?.name !== undefined && isScriptAuthorized(context.authorization, code);
  return isClosed(code, context) && !byName;
}

/** The code that closes a line: its own, its block's or that of the line it belongs to; '' where it is open. */
export function closingCode(line: Line, side: Side, context: Context): string {
  if (isClosed(line.activity, context)) return line.activity;
  const block = codeOfBlock(line, side);
  if (isClosedBlock(block, side.type, context)) return block;
  const parent = parentOf(line, side);
  return parent === undefined ? '' : closingCode(parent, side, context);
}

function codeOfBlock(line: Line, { type, header }: Side): string {
  const rule = type?.blocks;
  if (rule === undefined || header === undefined || line.fields === undefined) return '';
  const block = blockOf(rule, line.tag, line.fields);
  return block === undefined ? '' : blockCode(header, rule, block);
}

/** An action on a field of a screen belongs to that field: its key begins with the field's. */
function parentOf(line: Line, side: Side): Line | undefined {
  const parent = side.type === undefined ? undefined : parentLine(side.type, line.tag);
  if (parent === undefined) return undefined;
  return side.line(parent.tag, line.key.split('~').slice(0, parent.keys).join('~'));
}

/** Why a line of the folder's is its own: a code, or the action SPE or SPV; '' where it is not. */
export function guardOf(line: Line, side: Side, context: Context): string {
  const code = closingCode(line, side, context);
  const actions = side.type?.actions;
  if (code !== '' || context.exactly === true || actions === undefined || line.tag !== actions.tag || line.fields === undefined)
    return code;
  const action = fieldValue(line.fields, actions.field) ?? '';
  const opens = patchTypeOfAction(action);
  return opens === undefined || opens === context.patchType ? '' : action;
}
