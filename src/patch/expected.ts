// The closed list of what the patch reader can have expected where a file breaks the format; the rim has a text for each.

export const PATCH_EXPECTED = [
  /** The first line: `1,` with six quoted tokens and a last empty one. */
  'header',
  /** Between elements: line 2 or line 8. */
  'element-or-end',
  /** A whole line 2: type, name, title. */
  'element-head',
  /** Line 7, repeating line 2 exactly. */
  'closing-line-7',
  /** Between records: line 3 or line 7. */
  'record-or-closing-line-7',
  /** A whole line 3: tag and key. */
  'record-head',
  /** Inside a record: lines 4, 5, 9 or 6. */
  'value-or-record-end',
  /** Line 6 with the tag of its line 3. */
  'record-end',
  /** The quoted field name of lines 4, 5, 9. */
  'field',
  /** Decimal digits without leading zero, at most 99999. */
  'index',
  /** Line 4: a quoted text or a bare number. */
  'value',
  /** Line 5: text, language, number, comment, or the end of the list. */
  'text',
  /** Line 9: text, language, two identifiers, or the end of the list. */
  'translation',
  /** The line of ten stars that ends a script. */
  'source-end',
  /** The decimal byte count of a binary. */
  'byte-count',
  /** As many bytes as the byte count says. */
  'payload',
  /** Ten stars right after the last byte of a binary. */
  'payload-end',
  /** Line 8, the end of the file: without it the file is cut off. */
  'end-line',
  /** Nothing after line 8. */
  'end-of-file',
  /** A line within the length limit. */
  'shorter-line',
  /** A record within the size limits. */
  'smaller-record',
  /** Text without NUL bytes. */
  'no-nul',
] as const;

export type PatchExpected = (typeof PATCH_EXPECTED)[number];
