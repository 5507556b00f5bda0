// English words for facts that are codes themselves: what the patch reader expected, why the system refused.
import type { PatchExpected } from '../../../patch/expected.ts';

export const expected: Readonly<Record<PatchExpected, string>> = {
  header: 'the header line, 1,"","FRA","1",…',
  'element-or-end': 'a new element (line 2) or the end of the file (line 8)',
  'element-head': 'a whole line 2 with type, name and title',
  'closing-line-7': 'line 7 that repeats the line 2 of the element',
  'record-or-closing-line-7': 'a record (line 3) or the end of the element (line 7)',
  'record-head': 'a whole line 3 with tag and key',
  'value-or-record-end': 'a value (line 4, 5 or 9) or the end of the record (line 6)',
  'record-end': 'line 6 with the tag of the record',
  field: 'a field name in quotes',
  index: 'an index in digits',
  value: 'a text in quotes or a number',
  text: 'text, language, number and comment',
  translation: 'text, language and two identifiers',
  'source-end': 'the line of ten stars that ends a script',
  'byte-count': 'the number of bytes of a binary',
  payload: 'as many bytes as announced',
  'payload-end': 'ten stars after the last byte of a binary',
  'end-line': 'the last line, 8,"": the file is cut off',
  'end-of-file': 'nothing after the last line',
  'shorter-line': 'a shorter line (16 MiB at most)',
  'smaller-record': 'a smaller record',
  'no-nul': 'text without NUL characters',
};

export const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'no right to it',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'part of the path is not a directory',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the disk is read-only',
  EMFILE: 'too many open files',
  ELOOP: 'symbolic links go round in a circle',
  EIO: 'the disk reports an error',
  unknown: 'for a reason that the system did not give',
  unreadable: 'its content is not what Rustine wrote',
  'pointer-lost': 'it points to a place that is no longer there',
  'platform-not-supported': 'there is none for this platform',
  'package-missing': 'its npm package is not installed',
  'key-database': 'a database URL is expected, such as postgresql://user@host:5432/name',
  'key-language': 'en or fr is expected',
  'key-jobs': 'a whole number from 1 is expected',
  'key-unknown': 'there is no such key; known keys: database, language, jobs',
  'not-keys': 'a list of keys and values is expected, such as `language: fr`',
  'yaml-syntax': 'this is not valid YAML',
  'password-readable':
    'the database URL holds a password, and others can read the file. Make it readable for its owner only (chmod 600), or give the URL in RUSTINE_DATABASE_URL',
};

export const nothing = 'the end of the file';
