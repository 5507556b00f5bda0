// URLs of further servers: what may be stored and shown of one, and which one counts. Pure.

/** Without the password, which the catalog never holds. */
export function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  parsed.searchParams.delete('password');
  return parsed.toString();
}

/** What the surroundings say (RUSTINE_SERVER_NAME_URL, rustine.yaml) counts before what the catalog holds, which has no password. */
export function urlOf(
  server: { readonly name: string; readonly url: string },
  given: Readonly<Record<string, string>> = {},
): string {
  return given[server.name] ?? server.url;
}
