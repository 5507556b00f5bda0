// What a command works with: options, environment variables and rustine.yaml brought together.

export interface Settings {
  /** Home directory, absolute. */
  readonly home: string;
  /** Connection URL; absent: the embedded PostgreSQL under the home directory. */
  readonly database?: string;
  /** Folder one works from (R11, R33); absent: the supervisor folder. */
  readonly from?: string;
  readonly language: 'en' | 'fr';
}
