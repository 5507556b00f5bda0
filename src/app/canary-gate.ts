// Where canaries live on several servers (`--first`): the other folders of every server wait until the canaries of all are through.

export interface CanaryGate {
  /**
   * The canaries of this server are through, or there are none; the first word counts.
   * @param failed those that did not get everything
   * @returns those of all servers, once each has said so
   */
  pass(server: string, failed: readonly string[]): Promise<readonly string[]>;
}

/** @param servers whoever takes part: nobody is let through before all have come */
export function canaryGate(servers: readonly string[]): CanaryGate {
  const awaited = new Set(servers);
  const broken = new Set<string>();
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  return {
    pass: (server, failed) => {
      if (awaited.delete(server)) for (const folder of failed) broken.add(folder);
      if (awaited.size === 0) resolve([...broken].sort());
      return promise;
    },
  };
}
