// Named points where a test can stop the program as a crash would: RUSTINE_STOP_AT=planned, planned:3 (third time), planned@NORTH (on that server).

/**
 * Kills this process at the point, without any clean-up: what a power cut does.
 * @param server further server whose part of the run it is
 */
export function stopPoints(wanted: string | undefined, server: string | null = null): (name: string) => void {
  if (wanted === undefined || wanted === '') return () => undefined;
  const [point, times = '1'] = wanted.split(':');
  let left = Number(times);
  return (name) => {
    if ((name === point || `${name}@${server}` === point) && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
