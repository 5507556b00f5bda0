// What guards a line: its activity code, its block's, or that it is a specific or vertical action (R8, R9, R19). Pure.
import { isAuthorized, isScriptAuthorized, isSpecific } from './activity-codes.ts';
import { blockCode, blockOf } from './blocks.ts';
import type { ElementType } from './element-types.ts';
import { patchTypeOfAction } from './element-types.ts';
import type { Fields } from './fields.ts';
import { fieldValue } from './fields.ts';
import type { MergeContext } from './merge-record.ts';

type Context = Pick<MergeContext, 'authorization' | 'patchType'>;

/** A line as far as its guard goes; fields may not be loaded. */
interface Line {
  readonly tag: string;
  readonly activity: string;
  readonly fields?: Fields;
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

/** The code that a line carries: its own, else its block's; '' where it has none. */
function codeOf(line: Line, type: ElementType | undefined, header: Fields | undefined): string {
  const rule = type?.blocks;
  if (line.activity !== '' || rule === undefined || header === undefined || line.fields === undefined) return line.activity;
  const block = blockOf(rule, line.tag, line.fields);
  return block === undefined ? '' : blockCode(header, rule, block);
}

/** The code that closes a line; '' where it is open. */
export function closingCode(line: Line, type: ElementType | undefined, header: Fields | undefined, context: Context): string {
  const code = codeOf(line, type, header);
  const closed = line.activity === '' ? isClosedBlock(code, type, context) : isClosed(code, context);
  return closed ? code : '';
}

/** Why a line of the folder's is its own: a code, or the action SPE or SPV; '' where it is not. */
export function guardOf(line: Line, type: ElementType | undefined, header: Fields | undefined, context: Context): string {
  const code = closingCode(line, type, header, context);
  if (code !== '' || type?.actions === undefined || line.tag !== type.actions.tag || line.fields === undefined) return code;
  const action = fieldValue(line.fields, type.actions.field) ?? '';
  const opens = patchTypeOfAction(action);
  return opens === undefined || opens === context.patchType ? '' : action;
}
